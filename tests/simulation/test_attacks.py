"""
Storms with more than the cloud against us: two supervisors that both believe to be alone, a store
that conflicts and fails, listings that show half, members that are meddled with, a cloud that is
wrong about what exists.

Each seed replays exactly. Promises are checked at every tick and after the storm.
"""

import uuid
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from attrs import frozen
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import CreateServerJob, Job
from otter.bus.local import LocalBus
from otter.cloud.errors import NotFoundError, TransientError
from otter.cloud.interface import CreateServer, NodeCondition, Server
from otter.models.errors import ConflictError, StoreUnavailableError
from otter.models.ids import ServerId
from otter.models.memory.store import MemoryStore
from tests.simulation.test_faults import SETTINGS, Storm
from tests.simulation.world import TICK, SimulatedOtter, seconds

SEEDS = range(12)
TICKS = 300


@frozen
class Trouble:
    """
    How likely a call of the store goes wrong, and how long it takes at most.

    :ivar conflict: a conditional write conflicts although nobody wrote.
    :ivar before: it fails and had no effect.
    :ivar after: it fails and had its effect.
    """

    conflict: float = 0
    before: float = 0
    after: float = 0
    seconds: float = 0


class TroubledStore:
    """A memory store of which every call goes wrong now and then, until ``calm``."""

    def __init__(
        self, inner: MemoryStore, otter: SimulatedOtter, trouble: Trouble, seed: int
    ) -> None:
        self._inner = inner
        self._otter = otter
        self._random = Random(seed)
        self._trouble = trouble
        self.failed = 0

    def calm(self) -> None:
        """End the trouble."""
        self._trouble = Trouble()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Return a method that may go wrong."""
        method = getattr(self._inner, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._pass()
            if name in {"write_ledger", "update_group"}:
                self._fail(self._trouble.conflict, ConflictError("somebody else wrote"))
            self._fail(self._trouble.before, StoreUnavailableError("not reached"))
            answer = await method(*args, **kwargs)
            await self._pass()
            self._fail(self._trouble.after, StoreUnavailableError("no answer"))
            return answer

        return call

    async def _pass(self) -> None:
        if self._trouble.seconds:
            wait = self._random.random() * self._trouble.seconds / 2
            await deferLater(self._otter.clock, wait)

    def _fail(self, likelihood: float, error: Exception) -> None:
        if self._random.random() < likelihood:
            self.failed += 1
            raise error


class Attack(Storm):
    """
    A storm with more in it.

    :ivar raging: whether what this module adds is going on.
    """

    def __init__(self, seed: int, *, meddling: bool = False) -> None:
        super().__init__(seed)
        self.seed = seed
        self.raging = True
        self.stores: list[TroubledStore] = []
        if meddling:
            self.meddle()

    def trouble(self, trouble: Trouble) -> None:
        """Give the supervisor a store in trouble; the owner's calls go through all the same."""
        self.otter.crash()
        self._trouble(self.otter, trouble)
        self.otter.start()

    def _trouble(self, otter: SimulatedOtter, trouble: Trouble) -> None:
        inner, start = otter.store, otter.start
        store = TroubledStore(inner, otter, trouble, self.seed + len(self.stores))
        self.stores.append(store)

        def restart() -> None:
            otter.store = store  # type: ignore[assignment]
            start()
            otter.store = inner

        otter.start = restart  # type: ignore[method-assign]

    def split(self, trouble: Trouble | None = None) -> None:
        """
        Start a second process over the same store and cloud; neither knows of the other.

        :param trouble: what is wrong with the second one's way to the store.
        """
        twin = SimulatedOtter(1000, SETTINGS)
        twin.crash()
        twin.store, twin.provider, twin.cloud = (
            self.otter.store,
            self.otter.provider,
            self.otter.cloud,
        )
        if trouble is not None:
            self._trouble(twin, trouble)
        twin.start()
        tick = self.otter.tick

        def both(seconds: float = TICK) -> None:
            tick(seconds)
            twin.clock.advance(seconds)

        self.otter.tick = both  # type: ignore[method-assign]

    def show_half(self) -> None:
        """
        Let listings omit every second server for four seconds in every ten.

        Longer than ``settle`` nobody can tell a server that listings omit from one that never was.
        """
        listed = self.cloud.servers.listed

        def half() -> tuple[Server, ...]:
            found = listed()
            blind = self.raging and self.otter.clock.seconds() % 10 < 4
            return found[::2] if blind else found

        self.cloud.servers.listed = half  # type: ignore[method-assign]

    def deny(self) -> None:
        """Let the cloud deny, now and then, that a server exists which does."""
        listed, show = self.cloud.servers.listed, self.cloud.servers.show

        def denied(server_id: ServerId) -> bool:
            period = int(self.otter.clock.seconds()) // 5
            return self.raging and Random(f"{server_id}{period}").random() < 0.1

        def seen() -> tuple[Server, ...]:
            return tuple(s for s in listed() if not denied(s.server_id))

        def shown(server_id: ServerId) -> Server:
            if denied(server_id):
                raise NotFoundError("Instance could not be found.", status=404)
            return show(server_id)

        self.cloud.servers.listed = seen  # type: ignore[method-assign]
        self.cloud.servers.show = shown  # type: ignore[method-assign]

    def procrastinate(self) -> None:
        """Let some creates answer 500 and take effect long after anybody waits for them."""
        create = self.cloud.servers.create

        def late(request: CreateServer) -> Server:
            if self.raging and self.random.random() < 0.2:
                wait = SETTINGS.settle.total_seconds() + self.random.random() * 20
                self.otter.cloud_clock.callLater(wait, create, request)
                raise TransientError("HTTP 500", status=500)
            return create(request)

        self.cloud.servers.create = late  # type: ignore[method-assign]

    def garble(self) -> None:
        """
        Let the bus lose every tenth message and deliver every tenth twice, the second time late.

        Only jobs that create come at most once: two servers of one instance id could not be told
        apart, so a bus that repeats jobs needs a worker that looks before it creates.
        """
        start = self.otter.start

        def restart() -> None:
            start()
            self._garble(self.otter.bus)

        self.otter.start = restart  # type: ignore[method-assign]
        self._garble(self.otter.bus)

    def _garble(self, bus: LocalBus) -> None:
        hand_over = bus._hand_over

        def carry(handler: Any, message: object) -> None:
            luck = self.random.random() if self.raging else 0.5
            if luck >= 0.1:
                hand_over(handler, message)
            creating = isinstance(message, Job) and isinstance(message.step, CreateServerJob)
            if luck >= 0.9 and not creating:
                wait = self.random.random() * 3
                self.otter.clock.callLater(wait, hand_over, handler, message)

        bus._hand_over = carry  # type: ignore[method-assign]

    def meddle(self) -> None:
        """Let somebody change our members, and every change make the balancer immutable."""
        self.cloud.balancers.update_time = seconds(1)
        disturb = self.disturb

        def more() -> None:
            nodes = next(iter(self.cloud.balancers.all())).nodes
            if nodes and self.raging:
                self._meddle(self.random.choice(nodes).node_id)
            disturb()

        self.disturb = more  # type: ignore[method-assign]

    def _meddle(self, node_id: Any) -> None:
        balancers = self.cloud.balancers
        match self.random.randrange(3):
            case 0:
                balancers.kill_node(self.balancer, node_id)
            case 1:
                balancers.set_node(self.balancer, node_id, plain=False)
            case _:
                balancers.set_node(self.balancer, node_id, condition=NodeCondition.DISABLED)

    def calm(self) -> None:
        """End all of it."""
        self.raging = False
        for store in self.stores:
            store.calm()
        super().calm()


class AttackTests(SynchronousTestCase):
    """What is left after each."""

    def attack(self, seed: int, *, meddling: bool = False) -> Attack:
        """Return an attack in which ids, too, are those of the seed."""
        bits = Random(f"ids of {seed}")

        def uuid4() -> uuid.UUID:
            return uuid.UUID(int=bits.getrandbits(128), version=4)

        self.patch(uuid, "uuid4", uuid4)
        return Attack(seed, meddling=meddling)

    def weather(self, attack: Attack, *, below_max: bool = True) -> None:
        """Let an attack rage, then see that nothing is missing and nothing left over."""
        check = attack.check
        if not below_max:
            attack.check = lambda: None  # type: ignore[method-assign]
        attack.blow(TICKS)
        attack.calm()
        otter, group = attack.otter, attack.group
        otter.run_until(lambda: otter.settled(group), 300)
        otter.run(40)
        addresses = {a for s in otter.servers(group) for _, a in s.addresses}
        balanced = "loadBalancers" in otter.group(group).launch.args

        self.assertTrue(otter.settled(group))
        self.assertEqual(len(addresses), otter.group(group).desired)
        self.assertEqual(attack.nodes(), addresses if balanced else set())
        otter.change(group, deleting=True, desired=0)
        otter.run_until(lambda: not otter.servers(group), 200)
        otter.run(40)
        self.assertEqual(attack.nodes(), set())
        self.assertEqual({s.server_id for s in attack.cloud.servers.all()}, attack.foreign)
        if below_max:
            check()

    def test_two_supervisors(self) -> None:
        """Split brain: never above max, no droppings, and what is desired in the end."""
        for seed in SEEDS:
            attack = self.attack(seed, meddling=True)
            attack.split()
            self.weather(attack)

    def test_two_supervisors_and_a_slow_store(self) -> None:
        """Their reads and writes interleave in every way, and some of them fail."""
        failed = 0
        trouble = Trouble(conflict=0.05, before=0.03, after=0.03, seconds=0.5)
        for seed in SEEDS:
            attack = self.attack(seed, meddling=True)
            attack.trouble(trouble)
            attack.split(trouble)
            self.weather(attack)
            failed += sum(store.failed for store in attack.stores)

        self.assertGreater(failed, 100)

    def test_a_store_whose_writes_conflict(self) -> None:
        """Every third plan is thrown away."""
        for seed in SEEDS:
            attack = self.attack(seed)
            attack.trouble(Trouble(conflict=0.33))
            self.weather(attack)

    def test_a_store_that_fails(self) -> None:
        """Before or after its effect, nobody can tell which."""
        for seed in SEEDS:
            attack = self.attack(seed)
            attack.trouble(Trouble(before=0.06, after=0.06))
            self.weather(attack)

    def test_a_bus_that_loses_and_repeats(self) -> None:
        """Losing messages costs time, never correctness; hearing twice changes nothing."""
        for seed in SEEDS:
            attack = self.attack(seed)
            attack.garble()
            self.weather(attack)

    def test_half_a_listing(self) -> None:
        """Half a view never causes a delete or a create (S7)."""
        for seed in SEEDS:
            attack = self.attack(seed)
            attack.show_half()
            self.weather(attack)

    def test_a_cloud_that_denies_what_exists(self) -> None:
        """
        A server confirmed absent that is back is seen off (S2).

        Its place was given away in good faith, so max cannot be kept against such a cloud.
        """
        for seed in SEEDS:
            attack = self.attack(seed)
            attack.deny()
            self.weather(attack, below_max=False)

    def test_creates_that_take_effect_after_all(self) -> None:
        """
        Answered 500, given up, replaced, and there in the end: the late ones are deleted (S2).

        Above max only while such a server that nobody could know of exists.
        """
        for seed in SEEDS:
            attack = self.attack(seed)
            attack.procrastinate()
            self.weather(attack, below_max=False)

    def test_late_creates_are_counted_as_long_as_they_may_come(self) -> None:
        """Within ``settle`` an unknown outcome keeps its place: max holds (S1)."""
        for seed in SEEDS:
            attack = self.attack(seed)
            create = attack.cloud.servers.create
            patience = SETTINGS.settle.total_seconds() - 2 * TICK

            def late(
                request: CreateServer,
                attack: Attack = attack,
                create: Callable[[CreateServer], Server] = create,
                patience: float = patience,
            ) -> Server:
                if attack.raging and attack.random.random() < 0.3:
                    attack.otter.cloud_clock.callLater(patience, create, request)
                    raise TransientError("HTTP 500", status=500)
                return create(request)

            attack.cloud.servers.create = late  # type: ignore[method-assign]
            attack.cloud.servers.list_lag = seconds(0)
            attack.cloud.latency = seconds(0)
            self.weather(attack)
