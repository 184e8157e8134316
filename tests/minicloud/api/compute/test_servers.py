"""Tests of ``minicloud.api.compute.servers``: servers as clients see them."""

from datetime import timedelta
from urllib.parse import urlsplit

from twisted.trial.unittest import SynchronousTestCase

from tests.minicloud.client import CloudClient, a_client

BOOT = timedelta(seconds=30)


class CreateTests(SynchronousTestCase):
    """From nothing to ACTIVE."""

    def test_accepted(self) -> None:
        """The answer has the id, where to find the server and its first password."""
        client = a_client(boot_time=BOOT)
        response = client.compute("POST", "/servers", client.a_server_body())
        server = response.json["server"]

        self.assertEqual(response.status, 202)
        self.assertEqual(
            set(server), {"id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"}
        )
        self.assertTrue(response.headers["location"].endswith(f"/servers/{server['id']}"))

    def test_life(self) -> None:
        """A server is in BUILD while it boots, then ACTIVE with nothing left to do."""
        client = a_client(boot_time=BOOT)
        server = client.create(metadata={"a": "1"})
        building = client.show(server)
        client.cloud.advance(30)
        active = client.show(server)

        self.assertEqual(
            (building["status"], building["OS-EXT-STS:task_state"]), ("BUILD", "spawning")
        )
        self.assertEqual((active["status"], active["OS-EXT-STS:task_state"]), ("ACTIVE", None))
        self.assertEqual(active["created"], "2026-01-01T00:00:00Z")
        self.assertEqual(active["updated"], "2026-01-01T00:00:30Z")
        self.assertEqual(active["metadata"], {"a": "1"})

    def test_shown(self) -> None:
        """A server shows what tempest's schema requires."""
        client = a_client()
        server = client.show(client.create())
        required = """id name status image flavor user_id tenant_id created updated metadata links
            addresses hostId OS-EXT-STS:task_state OS-EXT-STS:vm_state OS-EXT-STS:power_state"""

        self.assertLessEqual(set(required.split()), set(server))
        self.assertEqual(server["tenant_id"], client.cloud.project_id())
        self.assertEqual(server["OS-EXT-STS:power_state"], 1)

    def test_address(self) -> None:
        """A server has one fixed address of its own on the private network."""
        client = a_client()
        first, second = (client.show(client.create())["addresses"]["private"][0] for _ in range(2))

        self.assertEqual((first["version"], first["OS-EXT-IPS:type"]), (4, "fixed"))
        self.assertNotEqual(first["addr"], second["addr"])

    def test_unknown_references(self) -> None:
        """A flavor, image or key that does not exist is 400 in Nova's words."""
        client = a_client()
        cases = (
            ({"flavorRef": "99"}, "Flavor 99 could not be found."),
            ({"imageRef": "nothing"}, "Can not find requested image nothing"),
            ({"key_name": "nobody"}, "Invalid key_name provided."),
        )
        for fields, message in cases:
            response = client.compute("POST", "/servers", client.a_server_body(**fields))
            self.assertEqual(
                (response.status, response.json["badRequest"]),
                (400, {"code": 400, "message": message}),
            )

    def test_quota(self) -> None:
        """Beyond the quota is 403 in the prose that clients parse; deleting makes room."""
        client = a_client(quota_instances=1)
        server = client.create()
        response = client.compute("POST", "/servers", client.a_server_body())
        client.compute("DELETE", f"/servers/{server}")

        self.assertEqual(response.status, 403)
        self.assertEqual(
            response.json["forbidden"]["message"],
            "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances",
        )
        client.create()

    def test_no_host(self) -> None:
        """A server for which no node has room goes to ERROR with the scheduler's words."""
        client = a_client(node_capacity=1)
        client.create()
        server = client.show(client.create())

        self.assertEqual(server["status"], "ERROR")
        self.assertIn("No valid host", server["fault"]["message"])
        self.assertEqual(server["fault"]["code"], 500)

    def test_no_networks(self) -> None:
        """A server asked for without networks shows no address, from 2.37 on."""
        client = a_client()
        server = client.create(version="2.37", networks="none")

        self.assertEqual(client.show(server)["addresses"], {})


class DeleteTests(SynchronousTestCase):
    """From ACTIVE to nothing."""

    def test_gone(self) -> None:
        """A deleted server is 404, to look at and to delete."""
        client = a_client()
        server = client.create()

        self.assertEqual(client.compute("DELETE", f"/servers/{server}").status, 204)
        self.assertEqual(client.compute("GET", f"/servers/{server}").status, 404)
        self.assertEqual(client.compute("DELETE", f"/servers/{server}").status, 404)
        self.assertEqual(client.names(), [])

    def test_lingers(self) -> None:
        """A deletion that takes its time shows as a task; asking again is fine."""
        client = a_client()
        client.control("PATCH", "/settings", {"delete_time": 5})
        server = client.create()
        statuses = [client.compute("DELETE", f"/servers/{server}").status for _ in range(2)]
        shown = client.show(server)
        client.cloud.advance(5)

        self.assertEqual(statuses, [204, 204])
        self.assertEqual((shown["status"], shown["OS-EXT-STS:task_state"]), ("ACTIVE", "deleting"))
        self.assertEqual(client.compute("GET", f"/servers/{server}").status, 404)

    def test_while_building(self) -> None:
        """A server that still boots is deleted at once and never becomes ACTIVE."""
        client = a_client(boot_time=BOOT)
        server = client.create()
        client.compute("DELETE", f"/servers/{server}")
        client.cloud.advance(60)

        self.assertEqual(client.compute("GET", f"/servers/{server}").status, 404)


class ProjectsTests(SynchronousTestCase):
    """Who sees what."""

    def test_apart(self) -> None:
        """Another project's server does not exist, whatever is asked of it."""
        mine = a_client()
        theirs = CloudClient(mine.cloud, "otter", "other")
        server = mine.create()

        for method, path in (
            ("GET", ""),
            ("DELETE", ""),
            ("GET", "/metadata"),
            ("DELETE", "/metadata/a"),
        ):
            self.assertEqual(theirs.compute(method, f"/servers/{server}{path}").status, 404)
        self.assertEqual(theirs.names(), [])
        self.assertEqual(mine.show(server)["status"], "ACTIVE")

    def test_all(self) -> None:
        """An admin may list all projects' servers, an observer may not."""
        client = a_client()
        CloudClient(client.cloud, "otter", "other").create("theirs")
        observer = CloudClient(client.cloud, "observer")

        self.assertEqual(client.names("?all_tenants=1"), ["theirs"])
        self.assertEqual(observer.compute("GET", "/servers?all_tenants=1").status, 403)

    def test_no_token(self) -> None:
        """Without a good token there is nothing, in the identity middleware's words."""
        client = a_client()
        for token in ("", "worthless"):
            response = client.compute("GET", "/servers", headers={"X-Auth-Token": token})
            self.assertEqual((response.status, response.json["error"]["code"]), (401, 401))
            self.assertIn("www-authenticate", response.headers)


class ListTests(SynchronousTestCase):
    """Lists."""

    def test_pages(self) -> None:
        """Following the links shows every server once; the last page has no link."""
        client = a_client()
        for number in range(5):
            client.create(f"s{number}")
        seen, path, pages = list[str](), "/compute/v2.1/servers?limit=2&name=s", 0
        while path:
            document = client.call("GET", path).json
            seen += [server["name"] for server in document["servers"]]
            links = document.get("servers_links", [])
            href = urlsplit(links[0]["href"]) if links else None
            path, pages = f"{href.path}?{href.query}" if href else "", pages + 1

        self.assertEqual((seen, pages), (["s4", "s3", "s2", "s1", "s0"], 3))

    def test_brief(self) -> None:
        """The short list has ids, names and links only."""
        client = a_client()
        client.create()
        (server,) = client.compute("GET", "/servers").json["servers"]

        self.assertEqual(set(server), {"id", "name", "links"})

    def test_filters(self) -> None:
        """Name, status, image, flavor and deletion limit the list."""
        client = a_client()
        client.create("web-1")
        client.create("db-1", flavorRef="2")
        image = client.cloud.credentials["images"][0]["id"]

        self.assertEqual(client.names("?name=%5Eweb"), ["web-1"])
        self.assertEqual(client.names("?status=active"), ["db-1", "web-1"])
        self.assertEqual(client.names("?status=ERROR"), [])
        self.assertEqual(client.names("?flavor=2&deleted=False"), ["db-1"])
        self.assertEqual(len(client.names(f"?image={image}")), 2)

    def test_tags(self) -> None:
        """Tags given at creation from 2.52 are shown and found by from 2.26."""
        client = a_client()
        tagged = client.create("tagged", version="2.52", networks="auto", tags=["otter:x"])
        client.create("plain")

        self.assertEqual(client.show(tagged, "2.26")["tags"], ["otter:x"])
        self.assertEqual(client.names("?tags=otter%3Ax", "2.26"), ["tagged"])
        self.assertEqual(client.names("?tags=otter%3Ax", "2.25"), ["plain", "tagged"])
        tags = client.compute("GET", f"/servers/{tagged}/tags", version="2.26")
        self.assertEqual(tags.json, {"tags": ["otter:x"]})
        self.assertEqual(client.compute("GET", f"/servers/{tagged}/tags").status, 404)

    def test_changes_since(self) -> None:
        """Changes include what was deleted, so that followers learn of the end."""
        client = a_client()
        old, gone = client.create("old"), client.create("gone")
        client.cloud.advance(60)
        client.compute("DELETE", f"/servers/{gone}")
        listed = client.compute("GET", "/servers/detail?changes-since=2026-01-01T00:01:00Z")
        (server,) = listed.json["servers"]

        self.assertEqual((server["id"], server["status"]), (gone, "DELETED"))
        self.assertEqual(client.names(), ["old"])
        self.assertEqual(client.show(old)["status"], "ACTIVE")

    def test_bad_queries(self) -> None:
        """What cannot be understood is 400; unknown parameters only from 2.75."""
        client = a_client()
        for query in ("limit=-1", "limit=x", "marker=x", "name=%28", "changes-since=yesterday"):
            self.assertEqual(client.compute("GET", f"/servers?{query}").status, 400, query)
        self.assertEqual(client.compute("GET", "/servers?whatever=1").status, 200)
        self.assertEqual(client.compute("GET", "/servers?whatever=1", version="2.75").status, 400)


class RenameTests(SynchronousTestCase):
    """Names."""

    def test_rename(self) -> None:
        """A server gets another name."""
        client = a_client()
        server = client.create("old")
        response = client.compute("PUT", f"/servers/{server}", {"server": {"name": "new"}})

        self.assertEqual((response.status, response.json["server"]["name"]), (200, "new"))
        self.assertEqual(client.names(), ["new"])
