"""Tests of the Nova client: what it puts on the wire, and what it makes of odd answers."""

from datetime import timedelta
from typing import Any

import simplejson
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud import nova
from otter.cloud.errors import (
    AuthenticationError,
    EndpointMissingError,
    InvalidRequestError,
    NotSentError,
    TransientError,
)
from otter.cloud.interface import CreateServer
from otter.cloud.nova_wire import (
    chosen_microversion,
    create_document,
    listed_server,
    next_params,
    page_of,
)
from otter.models.ids import InstanceId, TenantId
from tests.cloud.scene import TENANT, Scene
from tests.contracts.cloud import a_request


class NovaWireTests(SynchronousTestCase):
    """The client against a provider on the wire."""

    def setUp(self) -> None:
        """Wire the clients to a provider in memory."""
        self.scene = Scene()
        self.wire = self.scene.wire
        self.world = self.scene.world
        self.cloud = self.scene.cloud

    def created(self) -> dict[str, object]:
        """Create a server and return the ``server`` object that went over the wire."""
        self.successResultOf(Deferred.fromCoroutine(self.cloud.create_server(a_request())))
        ((_, _, _, body),) = self.wire.asked("POST", "/servers")
        server: dict[str, object] = simplejson.loads(body)["server"]
        return server

    def test_both_microversion_headers_are_sent(self) -> None:
        """Old services read one, new ones the other; never more than we know."""
        self.created()

        ((_, _, headers, _),) = self.wire.asked("POST", "/servers")
        self.assertEqual("compute 2.52", headers["openstack-api-version"])
        self.assertEqual("2.52", headers["x-openstack-nova-api-version"])

    def test_lower_maximum_is_respected(self) -> None:
        """What the service does not offer is answered with 406, so it is never asked for."""
        self.wire.max_microversion = "2.40"
        server = self.created()

        ((_, _, headers, _),) = self.wire.asked("POST", "/servers")
        self.assertEqual("2.40", headers["x-openstack-nova-api-version"])
        self.assertEqual("auto", server["networks"])
        self.assertNotIn("tags", server)

    def test_base_version_needs_no_header(self) -> None:
        """At 2.1 nothing is sent that only a later microversion knows."""
        self.wire.max_microversion = "2.1"
        server = self.created()

        ((_, _, headers, _),) = self.wire.asked("POST", "/servers")
        self.assertNotIn("openstack-api-version", headers)
        self.assertNotIn("networks", server)
        self.assertNotIn("tags", server)

    def test_tag_travels_where_it_can(self) -> None:
        """A tag can be filtered by; below 2.52 create refuses it."""
        self.assertEqual(["otter-g"], self.created()["tags"])

    def test_microversion_is_asked_for_once_for_all_tenants(self) -> None:
        """A service's version is no tenant's own; asking each time would double the calls."""
        for tenant in (TENANT, TENANT, TenantId("t-2")):
            cloud = self.scene.provider.cloud_for(tenant)
            self.successResultOf(Deferred.fromCoroutine(cloud.list_servers()))

        asked = [one for one in self.wire.requests if one[1] == "/compute/v2.1/"]
        self.assertEqual(1, len(asked))

    def test_unknown_version_means_nothing_was_sent(self) -> None:
        """A create whose microversion could not be found out has certainly created nothing."""
        self.wire.max_microversion = "2.96"
        self.wire.broken_versions = True
        creating = Deferred.fromCoroutine(self.cloud.create_server(a_request()))

        error = self.failureResultOf(creating, NotSentError).value
        self.assertTrue(error.definite)
        self.assertEqual([], self.wire.asked("POST", "/servers"))

    def test_downgraded_service_is_asked_anew(self) -> None:
        """406 says that what we remember of the service is no longer so."""
        self.successResultOf(Deferred.fromCoroutine(self.cloud.list_servers()))
        self.world.fail("list_servers", InvalidRequestError("not that version", status=406))
        refused = Deferred.fromCoroutine(self.cloud.list_servers())
        self.wire.max_microversion = "2.10"
        again = Deferred.fromCoroutine(self.cloud.list_servers())

        self.failureResultOf(refused, InvalidRequestError)
        self.successResultOf(again)
        self.assertEqual("2.10", self.wire.requests[-1][2]["x-openstack-nova-api-version"])

    def test_all_pages_are_read_at_our_own_endpoint(self) -> None:
        """The links name another host; our token goes to the catalog's endpoint only."""
        for number in range(5):
            self.world.servers.add(f"s{number}")

        servers = self.successResultOf(Deferred.fromCoroutine(self.cloud.list_servers()))
        self.assertEqual([f"s{number}" for number in range(5)], [one.name for one in servers])
        self.assertEqual(3, len(self.wire.asked("GET", "/compute/v2.1/t-1/servers/detail")))

    def test_filter_is_kept_on_every_page(self) -> None:
        """A cloud whose links forget the filter would otherwise send everything."""
        for _ in range(5):
            self.world.servers.add("web")

        found = self.successResultOf(Deferred.fromCoroutine(self.cloud.find_servers("web")))
        self.assertEqual(5, len(found))
        self.assertEqual(3, len(self.wire.asked("GET", "name=")))

    def test_cloud_that_knows_no_filter_is_filtered_here(self) -> None:
        """A misspelled or unknown filter once never applied (lessons.md 3, item 39)."""
        self.world.servers.add("web")
        self.world.servers.add("somebody else's")
        self.wire.filter_ignored = True

        (found,) = self.successResultOf(Deferred.fromCoroutine(self.cloud.find_servers("web")))
        self.assertEqual("web", found.name)

    def test_same_next_page_twice_is_an_error(self) -> None:
        """A listing that runs in circles is no view of the world."""
        self.world.servers.add("stuck")
        self.wire.page_loop = True

        self.wire.marker_ignored = True
        listing = Deferred.fromCoroutine(self.cloud.list_servers())
        self.assertIn("twice in a row", str(self.failureResultOf(listing, TransientError).value))

    def test_number_of_pages_is_bounded(self) -> None:
        """A cloud that always has one more page must not keep us for ever."""
        for number in range(6):
            self.world.servers.add(f"s{number}")
        self.patch(nova, "PAGES_MAX", 1)

        listing = Deferred.fromCoroutine(self.cloud.list_servers())
        self.failureResultOf(listing, TransientError)

    def test_marker_that_vanished_is_a_changed_listing(self) -> None:
        """It is not the owner's request that is wrong; the next listing will be right."""
        self.world.servers.add("s")
        self.wire.page_loop = True

        listing = Deferred.fromCoroutine(self.cloud.list_servers())
        error = self.failureResultOf(listing, TransientError).value
        self.assertIn("changed under us", str(error))

    def test_refused_token_is_replaced_once(self) -> None:
        """A token can be revoked or too new (lessons.md 3, item 40); a fresh one helps."""
        self.successResultOf(Deferred.fromCoroutine(self.cloud.list_servers()))
        self.wire.refuse = 1
        self.successResultOf(Deferred.fromCoroutine(self.cloud.list_servers()))

        self.assertEqual(2, self.wire.identity.issued)

    def test_twice_refused_is_refused(self) -> None:
        """One fresh token is all that is tried, or a broken service is hammered."""
        self.wire.refuse = 100
        listing = Deferred.fromCoroutine(self.cloud.list_servers())

        self.failureResultOf(listing, AuthenticationError)
        self.assertEqual(2, 100 - self.wire.refuse)

    def test_refused_create_is_looked_for_before_it_is_repeated(self) -> None:
        """Compute services have answered 401 and created the server all the same."""
        refusal = AuthenticationError("token ran out half way", status=401)
        self.world.lose("create_server", error=refusal)
        made = self.successResultOf(Deferred.fromCoroutine(self.cloud.create_server(a_request())))

        (server,) = self.world.servers.all()
        self.assertEqual(server.server_id, made.server_id)

    def test_refused_create_that_made_nothing_is_repeated(self) -> None:
        """Usually 401 means that nothing was done, and the owner need not hear of it."""
        self.world.fail("create_server", AuthenticationError("too new", status=401))
        self.successResultOf(Deferred.fromCoroutine(self.cloud.create_server(a_request())))

        self.assertEqual(1, len(self.world.servers.all()))

    def test_suspended_account_has_no_endpoint(self) -> None:
        """An empty catalog is how clouds show a suspended or closed account."""
        self.wire.identity.suspended.add(TENANT)
        listing = Deferred.fromCoroutine(self.cloud.list_servers())

        self.failureResultOf(listing, EndpointMissingError)

    def test_identity_failures_are_not_taken_for_the_services(self) -> None:
        """A 404 of identity must not read as "your server is gone", nor a 500 as "maybe"."""
        for status in (400, 403, 404, 409, 500, 503):
            self.wire.identity.broken = status
            listing = Deferred.fromCoroutine(self.cloud.list_servers())

            self.failureResultOf(listing, NotSentError)

    def test_wrong_password_is_said_without_saying_it(self) -> None:
        """Identity's words may quote what it was sent; none of them reach an error."""
        scene = Scene(password="wrong-but-still-secret")
        listing = Deferred.fromCoroutine(scene.cloud.list_servers())

        error = self.failureResultOf(listing, AuthenticationError).value
        self.assertNotIn("secret", f"{error} {error!r} {error.message}")

    def test_tokens_are_cut_out_of_messages(self) -> None:
        """A service that quotes the token it refuses must not make us print it."""
        self.wire.refuse = 2
        listing = Deferred.fromCoroutine(self.cloud.list_servers())

        error = self.failureResultOf(listing, AuthenticationError).value
        self.assertNotIn("token-", f"{error} {error!r}")
        self.assertIn("[token]", str(error))

    def test_expiring_token_is_replaced_in_time(self) -> None:
        """Long builds outlive tokens; a create never waits for a 401 to find that out."""
        self.successResultOf(Deferred.fromCoroutine(self.cloud.list_servers()))
        self.scene.clock.advance(timedelta(minutes=56).total_seconds())
        self.successResultOf(Deferred.fromCoroutine(self.cloud.list_servers()))

        self.assertEqual(2, self.wire.identity.issued)


class NovaDocumentTests(SynchronousTestCase):
    """The pure half: documents in, records out, and the other way round."""

    def document(self, **body: object) -> dict[str, object]:
        """Return the ``server`` object for an owner's body, at our microversion."""
        request = CreateServer(InstanceId("i"), "n", body=body, metadata={"k": "v"}, tag="t")
        server: dict[str, object] = create_document(request, (2, 52))["server"]
        return server

    def test_owners_fields_pass_through(self) -> None:
        """What we do not know is the owner's and Nova's business."""
        body = {"personality": [{"path": "/a", "contents": "Yg=="}], "key_name": "k", "x": [1]}

        self.assertEqual(body, {key: self.document(**body)[key] for key in body})

    def test_owners_networks_stay(self) -> None:
        """Only an absent choice is made for the owner."""
        networks = [{"uuid": "n"}]

        self.assertEqual(networks, self.document(networks=networks)["networks"])
        self.assertEqual([], self.document(networks=[])["networks"])
        self.assertEqual("auto", self.document(networks=None)["networks"])

    def test_owners_tags_stay(self) -> None:
        """Ours is added to them, once."""
        self.assertEqual(["a", "t"], self.document(tags=["t", "a"])["tags"])

    def test_counts_are_taken_out(self) -> None:
        """One create is one server, or the maximum could be passed (promise S1)."""
        document = self.document(min_count=5, max_count=9, return_reservation_id=True)

        self.assertEqual({"name", "metadata", "tags", "networks"}, set(document))

    def test_metadata_that_is_no_object_is_replaced(self) -> None:
        """Our marks must be there whatever the owner wrote."""
        self.assertEqual({"k": "v"}, self.document(metadata="none")["metadata"])

    def test_version_documents(self) -> None:
        """The smaller of ours and theirs, none where there are none, none out of reach."""
        cases = {("2.96", "2.1"): (2, 52), ("2.9", "2.1"): (2, 9), ("", ""): (2, 1)}
        cases |= {("2.99", "2.60"): (2, 1)}
        for (version, least), expected in cases.items():
            document = {"version": {"version": version, "min_version": least}}

            self.assertEqual(expected, chosen_microversion(document))

    def test_nonsense_is_unreadable(self) -> None:
        """A document of another shape is an unknown outcome, never an empty world."""
        pages: list[Any] = [None, [], {}, {"servers": {}}, {"servers": [{}]}, {"servers": [None]}]
        for page in pages:
            self.assertRaises(TransientError, page_of, page)
        servers: list[Any] = [None, {"id": 7, "name": "n", "status": "s", "created": "2026-01-01"}]
        for server in servers:
            self.assertRaises(TransientError, listed_server, server)

    def test_deleted_servers_are_left_out_of_pages(self) -> None:
        """They are gone; an old listing filter can still show them."""
        server = {"id": "1", "name": "n", "status": "DELETED", "created": "2026-01-01T00:00:00Z"}

        self.assertEqual(([], None), page_of({"servers": [server]}))

    def test_odd_metadata_marks_nobody(self) -> None:
        """Metadata that is no object, or not text, proves no ownership."""
        server = {"id": "1", "name": "n", "status": "active", "created": "2026-01-01T00:00:00"}
        values: list[Any] = [None, [], {"k": 1}]
        odd = [listed_server({**server, "metadata": value}) for value in values]

        self.assertEqual([{}, {}, {}], [dict(one.metadata) for one in odd])

    def test_link_without_marker_is_unreadable(self) -> None:
        """Following it would read the first page for ever."""
        self.assertRaises(TransientError, next_params, "http://x/servers?limit=1", ())

    @given(st.text())
    def test_any_link_is_followed_or_refused(self, href: str) -> None:
        """No link makes the client fail in another way."""
        try:
            params = dict(next_params(href, (("limit", "1"),)))
        except TransientError:
            return
        self.assertTrue(params["marker"])
