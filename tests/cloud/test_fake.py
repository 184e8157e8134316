"""Tests of the cloud in memory: it keeps the contract, and breaks down exactly as ordered."""

from datetime import timedelta

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import TransientError
from otter.cloud.fake import Call, FakeCloud, FakeProvider, Fault
from otter.cloud.fake_people import FakeMessenger, FakeValidator
from otter.cloud.interface import GROUP_KEY, Cloud, CloudProvider, Messenger, TokenValidator
from otter.models.ids import GroupId, TenantId
from tests.contracts import cloud as contract
from tests.contracts import validator as validator_contract


class FakeCloudTests(contract.CloudContract):
    """The fake keeps every promise, so that tests against it mean something."""

    def setUp(self) -> None:
        """Make a fake."""
        self.clock = Clock()
        self.world = FakeCloud(self.clock)
        self.cloud = self.world


class FakeOrderTests(SynchronousTestCase):
    """What tests and simulations order happens, and only that."""

    def setUp(self) -> None:
        """Make a fake."""
        self.clock = Clock()
        self.cloud = FakeCloud(self.clock)

    def test_calls_take_effect_in_the_middle_of_their_time(self) -> None:
        """A caller that gives up late has created a server without knowing."""
        self.cloud.latency = timedelta(seconds=10)
        creating = Deferred.fromCoroutine(self.cloud.create_server(contract.a_request()))
        self.clock.advance(4)
        early = len(self.cloud.servers.all())
        self.clock.advance(2)
        creating.cancel()

        self.assertEqual((0, 1), (early, len(self.cloud.servers.all())))
        self.failureResultOf(creating)

    def test_calls_finish_after_their_latency(self) -> None:
        """Latency is the injected clock's, per method where that is ordered."""
        self.cloud.latencies["list_servers"] = timedelta(seconds=10)
        listing = Deferred.fromCoroutine(self.cloud.list_servers())
        self.clock.pump([5, 4])
        self.assertNoResult(listing)
        self.clock.advance(1)

        self.assertEqual((), self.successResultOf(listing))

    def test_listings_omit_new_servers_for_a_while(self) -> None:
        """A real cloud's list lags behind (lessons.md 3, item 3); showing the server does not."""
        self.cloud.servers.list_lag = timedelta(seconds=30)
        creating = Deferred.fromCoroutine(self.cloud.create_server(contract.a_request()))
        server_id = self.successResultOf(creating).server_id
        hidden = self.cloud.servers.listed()
        shown = self.cloud.servers.show(server_id)
        self.clock.advance(30)

        self.assertEqual((), hidden)
        self.assertEqual(server_id, shown.server_id)
        self.assertEqual(1, len(self.cloud.servers.listed()))

    def test_stuck_server_never_leaves_build(self) -> None:
        """Only the ordered number of servers sticks."""
        self.cloud.servers.stick()
        for name in ("first", "second"):
            self.successResultOf(
                Deferred.fromCoroutine(self.cloud.create_server(contract.a_request(name)))
            )
        self.clock.advance(1_000_000)

        self.assertEqual(
            ["BUILD", "ACTIVE"], [server.status for server in self.cloud.servers.all()]
        )

    def test_highest_number_per_group_is_remembered(self) -> None:
        """Promise S1 is checked against what ever existed, not against what is left."""
        for name in ("first", "second"):
            self.cloud.servers.add(name, {GROUP_KEY: "g"})
        for server in self.cloud.servers.all():
            self.cloud.servers.kill(server.server_id)
        self.cloud.servers.add("third", {GROUP_KEY: "g"})

        self.assertEqual({GroupId("g"): 2}, self.cloud.servers.max_seen)

    def test_calls_are_recorded(self) -> None:
        """Tests can ask what was asked, and when."""
        self.clock.advance(5)
        self.successResultOf(Deferred.fromCoroutine(self.cloud.find_servers("n")))

        (call,) = self.cloud.calls
        self.assertEqual(Call("find_servers", ("n",), call.at), call)
        self.assertEqual(5, call.at.timestamp())

    def test_random_faults_come_from_outside(self) -> None:
        """A simulation decides before every call whether it fails; orders go first."""
        self.cloud.ask = lambda _method: Fault(TransientError("asked"))
        self.cloud.fail("list_servers", TransientError("ordered"))
        failures = [
            self.failureResultOf(Deferred.fromCoroutine(self.cloud.list_servers()), TransientError)
            for _ in range(2)
        ]
        self.cloud.heal()

        self.assertEqual(["ordered", "asked"], [str(failure.value) for failure in failures])
        self.successResultOf(Deferred.fromCoroutine(self.cloud.list_servers()))

    def test_misspelled_orders_are_refused(self) -> None:
        """A fault that is never met would make a test pass that tests nothing."""
        self.assertRaises(AttributeError, self.cloud.fail, "creat_server", TransientError("x"))

    def test_each_tenant_has_a_cloud_of_its_own(self) -> None:
        """One tenant's servers are not seen by another."""
        provider = FakeProvider(self.clock)
        provider.cloud_for(TenantId("a")).servers.add("a's")

        self.assertEqual((), provider.cloud_for(TenantId("b")).servers.all())
        self.assertEqual(1, len(provider.cloud_for(TenantId("a")).servers.all()))

    def test_fakes_have_the_shape_of_the_interfaces(self) -> None:
        """The type checker reads this test; running it shows that nothing else is needed."""
        cloud: Cloud = self.cloud
        provider: CloudProvider = FakeProvider(self.clock, {TenantId("t"): self.cloud})
        validator: TokenValidator = FakeValidator(self.clock)
        messenger: Messenger = FakeMessenger()

        self.assertIs(cloud, provider.cloud_for(TenantId("t")))
        self.assertTrue(validator)
        self.assertTrue(messenger)


class FakeValidatorTests(validator_contract.ValidatorContract):
    """The fake keeps the promises of a validator, at once and without staleness."""

    staleness_max = timedelta(0)

    def setUp(self) -> None:
        """Make a fake."""
        self.clock = Clock()
        self.validator = self.fake = FakeValidator(self.clock)
        self.admitted = 0

    def admit(
        self,
        user: str,
        tenant_id: TenantId | None,
        *roles: str,
        life: timedelta = validator_contract.HOUR,
    ) -> str:
        """Tell the fake of a token."""
        self.admitted += 1
        token = f"token-{self.admitted}-of-{user}"
        self.fake.admit(token, tenant_id, *roles, expires_in=life)
        return token

    def revoke(self, token: str) -> None:
        """Let the fake forget a token."""
        self.fake.revoke(token)

    def break_down(self) -> None:
        """Let the fake be out of reach."""
        self.fake.error = TransientError("down", status=503)


class FakePeopleTests(SynchronousTestCase):
    """Callers and owners around the fake cloud."""

    def test_refused_messages_are_not_delivered(self) -> None:
        """A delivery is what was accepted; an attempt is counted either way."""
        messenger = FakeMessenger()
        messenger.fail(TransientError("no"))
        sending = [
            Deferred.fromCoroutine(
                messenger.deliver(
                    "http://x", message_id=message_id, event="e", body=b"", group_id=GroupId("g")
                )
            )
            for message_id in ("1", "2")
        ]

        self.failureResultOf(sending[0], TransientError)
        self.successResultOf(sending[1])
        self.assertEqual(["2"], [one.message_id for one in messenger.deliveries])
        self.assertEqual(2, messenger.attempts)
