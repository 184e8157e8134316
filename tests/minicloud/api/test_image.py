"""Tests of ``minicloud.api.image``."""

from twisted.trial.unittest import SynchronousTestCase

from tests.minicloud.client import a_client


class ImageTests(SynchronousTestCase):
    """Images, as clients look them up before they create a server."""

    def setUp(self) -> None:
        """Make a cloud."""
        self.client = a_client()
        self.image, self.other = self.client.cloud.credentials["images"]

    def names(self, query: str = "") -> list[str]:
        """Return the names of listed images."""
        images = self.client.call("GET", f"/image/v2/images{query}").json["images"]
        return [image["name"] for image in images]

    def test_discovery(self) -> None:
        """The version is found without a token."""
        response = self.client.call("GET", "/image/", headers={"X-Auth-Token": ""})

        self.assertEqual((response.status, response.json["versions"][0]["id"]), (300, "v2.9"))

    def test_filters(self) -> None:
        """Names and ids limit the list, also several ids at once."""
        both = f"in:{self.image['id']},{self.other['id']}"

        self.assertEqual(self.names(f"?name={self.image['name']}"), [self.image["name"]])
        self.assertEqual(self.names(f"?id={self.other['id']}"), [self.other["name"]])
        self.assertEqual(len(self.names(f"?id={both}")), 2)
        self.assertEqual(self.names("?name=nothing"), [])

    def test_marker(self) -> None:
        """A page starts after its marker, so that clients stop asking."""
        self.assertEqual(self.names(f"?marker={self.other['id']}"), [])

    def test_show(self) -> None:
        """An image is found by id; a name is 404, and then the list is asked."""
        shown = self.client.call("GET", f"/image/v2/images/{self.image['id']}")
        named = self.client.call("GET", f"/image/v2/images/{self.image['name']}")

        self.assertEqual((shown.status, shown.json["status"]), (200, "active"))
        self.assertEqual((named.status, named.json["code"]), (404, 404))

    def test_no_token(self) -> None:
        """Images are for those who have a token."""
        response = self.client.call("GET", "/image/v2/images", headers={"X-Auth-Token": ""})

        self.assertEqual(response.status, 401)
