"""Tests of ``minicloud.api.compute.catalogue``."""

from twisted.trial.unittest import SynchronousTestCase

from tests.minicloud.client import a_client


class FlavorTests(SynchronousTestCase):
    """Sizes of servers."""

    def test_list(self) -> None:
        """Flavors are listed briefly and in detail, and a marker is honoured."""
        client = a_client()
        brief = client.compute("GET", "/flavors").json["flavors"]
        full = client.compute("GET", "/flavors/detail?is_public=None").json["flavors"]
        rest = client.compute("GET", "/flavors?marker=4").json["flavors"]

        self.assertEqual(set(brief[0]), {"id", "name", "links"})
        self.assertEqual([flavor["ram"] for flavor in full], [512, 2048, 4096, 8192, 16384])
        self.assertEqual([flavor["id"] for flavor in rest], ["5"])
        self.assertEqual(client.compute("GET", "/flavors?marker=x").status, 400)

    def test_show(self) -> None:
        """A flavor is found by id, not by name: clients look names up in the list."""
        client = a_client()

        self.assertEqual(client.compute("GET", "/flavors/1").json["flavor"]["name"], "m1.tiny")
        self.assertEqual(client.compute("GET", "/flavors/m1.tiny").status, 404)

    def test_versions(self) -> None:
        """Each version shows what it has brought."""
        client = a_client()
        fields = {
            version: set(client.compute("GET", "/flavors/1", version=version).json["flavor"])
            for version in ("2.54", "2.55", "2.61")
        }

        self.assertEqual(fields["2.55"] - fields["2.54"], {"description"})
        self.assertEqual(fields["2.61"] - fields["2.55"], {"extra_specs"})


class ImageTests(SynchronousTestCase):
    """Images, as Compute speaks for them."""

    def test_show(self) -> None:
        """Images are listed and shown."""
        client = a_client()
        image = client.cloud.credentials["images"][0]
        listed = client.compute("GET", "/images/detail").json["images"]
        shown = client.compute("GET", f"/images/{image['id']}").json["image"]

        self.assertEqual(listed[0], shown)
        self.assertEqual((shown["name"], shown["status"]), (image["name"], "ACTIVE"))
        self.assertEqual(client.compute("GET", "/images/nothing").status, 404)


class LimitTests(SynchronousTestCase):
    """What a project may have."""

    def limits(self, version: str) -> dict[str, int]:
        """Return absolute limits with two small servers running."""
        client = a_client(quota_instances=7)
        for _ in range(2):
            client.create(flavorRef="2")
        found: dict[str, int] = client.compute("GET", "/limits", version=version).json["limits"][
            "absolute"
        ]
        return found

    def test_used(self) -> None:
        """Clients read their headroom here."""
        limits = self.limits("2.1")

        self.assertEqual(
            [limits[f"total{what}Used"] for what in ("Instances", "Cores", "RAM")], [2, 2, 4096]
        )
        self.assertEqual(limits["maxTotalInstances"], 7)

    def test_personality(self) -> None:
        """How many files of which size may be injected, while that is possible at all."""
        old, new = self.limits("2.56"), self.limits("2.57")

        self.assertEqual((old["maxPersonality"], old["maxPersonalitySize"]), (5, 1000))
        self.assertNotIn("maxPersonality", new)
