"""Tests of ``minicloud.api.compute.microversion`` and what versions change."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from minicloud.api.compute.microversion import MINIMUM, Microversion, negotiate
from minicloud.api.errors import BadRequestError, NotAcceptableError
from tests.minicloud.client import a_client

MAXIMUM = Microversion(2, 96)


class NegotiateTests(SynchronousTestCase):
    """Which version a request gets."""

    def test_headers(self) -> None:
        """Either header asks; the newer goes first and may speak to other services too."""
        cases = (
            (None, None, MINIMUM),
            ("compute 2.26", None, Microversion(2, 26)),
            (None, "2.10", Microversion(2, 10)),
            ("compute 2.26", "2.10", Microversion(2, 26)),
            ("identity 3.0, compute 2.5", None, Microversion(2, 5)),
            ("identity 3.0", "2.10", Microversion(2, 10)),
            ("compute latest", None, MAXIMUM),
        )
        for header, legacy, expected in cases:
            self.assertEqual(negotiate(header, legacy, MAXIMUM), expected)

    def test_out_of_range(self) -> None:
        """A version that is not on offer is told which are."""
        for asked in ("2.0", "2.97", "1.1", "3.0"):
            error = self.assertRaises(NotAcceptableError, negotiate, None, asked, MAXIMUM)
            self.assertIn("Minimum is 2.1 and maximum is 2.96", str(error))

    @given(st.text(max_size=20))
    def test_anything(self, text: str) -> None:
        """Whatever a header says, the answer is a version on offer or a refusal by name."""
        try:
            version = negotiate(f"compute {text}", text, MAXIMUM)
        except (BadRequestError, NotAcceptableError):
            return

        self.assertTrue(MINIMUM <= version <= MAXIMUM)


class VersionedAnswersTests(SynchronousTestCase):
    """What the face makes of versions."""

    def test_documents(self) -> None:
        """The version list begins with v2.0; v2.1 tells its range. Neither needs a token."""
        client, nobody = a_client(max_microversion="2.60"), {"X-Auth-Token": ""}
        listed = client.call("GET", "/compute", headers=nobody)
        for slash in ("", "/"):
            shown = client.call("GET", f"/compute/v2.1{slash}", headers=nobody).json["version"]
            self.assertEqual(
                (shown["id"], shown["status"], shown["version"], shown["min_version"]),
                ("v2.1", "CURRENT", "2.60", "2.1"),
            )

        self.assertEqual([v["id"] for v in listed.json["versions"]], ["v2.0", "v2.1"])

    def test_answer_headers(self) -> None:
        """Every answer says its version in both headers and that it varies by them."""
        response = a_client().compute("GET", "/servers", version="2.26")

        self.assertEqual(response.headers["openstack-api-version"], "compute 2.26")
        self.assertEqual(response.headers["x-openstack-nova-api-version"], "2.26")
        self.assertIn("OpenStack-API-Version", response.headers["vary"])

    def test_refused(self) -> None:
        """Out of range is 406, malformed 400."""
        client = a_client()

        self.assertEqual(client.compute("GET", "/servers", version="2.97").status, 406)
        self.assertEqual(client.compute("GET", "/servers", version="two").status, 400)

    def test_server_fields(self) -> None:
        """Each version shows exactly the fields that it has brought."""
        client = a_client()
        server = client.create()
        fields = {v: set(client.show(server, v)) for v in ("2.1", "2.26", "2.47", "2.96")}

        self.assertEqual(fields["2.26"] - fields["2.1"], {"locked", "description", "tags"})
        self.assertEqual(fields["2.47"], fields["2.26"])
        self.assertEqual(
            fields["2.96"] - fields["2.47"],
            {
                "trusted_image_certificates",
                "server_groups",
                "locked_reason",
                "OS-EXT-SRV-ATTR:hostname",
                "pinned_availability_zone",
            },
        )

    def test_flavor_in_server(self) -> None:
        """The flavor is linked before 2.47 and embedded from then on."""
        client = a_client()
        server = client.create()

        self.assertEqual(set(client.show(server, "2.46")["flavor"]), {"id", "links"})
        self.assertEqual(client.show(server, "2.47")["flavor"]["original_name"], "m1.tiny")

    def test_images_gone(self) -> None:
        """Compute speaks for images before 2.36 only."""
        client = a_client()

        self.assertEqual(client.compute("GET", "/images", version="2.35").status, 200)
        self.assertEqual(client.compute("GET", "/images", version="2.36").status, 404)
