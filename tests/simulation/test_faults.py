"""
Seeded storms: faults of every class, crashes, out-of-band meddling, changes of mind; then calm.

The promises of architecture.md section 2 are checked at every tick (S1, S3) and after the storm
(S2, S5). A failing seed replays exactly.
"""

from collections.abc import Callable
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import (
    AuthenticationError,
    CloudError,
    ConflictingRequestError,
    InvalidRequestError,
    NotSentError,
    QuotaError,
    ThrottledError,
    TransientError,
)
from otter.cloud.fake import Fault
from otter.cloud.interface import GROUP_KEY
from otter.supervisor.settings import SupervisorSettings
from tests.simulation.world import SimulatedOtter, seconds

SEEDS = range(60)
MAX = 8
FAULTS: tuple[CloudError, ...] = (
    TransientError("HTTP 500", status=500),
    TransientError("no answer"),
    ThrottledError("slow down", status=429, retry_after=seconds(2)),
    AuthenticationError("who are you", status=401),
    NotSentError("connection refused"),
    ConflictingRequestError("busy", status=409),
    QuotaError("Quota exceeded for instances", status=403),
    InvalidRequestError("Invalid key_name provided.", status=400),
)
SETTINGS = SupervisorSettings(
    build_timeout=seconds(20),
    settle=seconds(6),
    abandon=seconds(20),
    job_deadline=seconds(10),
    retry_first=seconds(1),
    retry_max=seconds(10),
    sweep=seconds(10),
    drain_patience=seconds(30),
    replacements_per_hour=10_000,
)


class Storm:
    """One seeded run."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.otter = SimulatedOtter(seed, SETTINGS)
        self.cloud = self.otter.cloud
        self.cloud.latency = seconds(self.random.choice([0, 0.3, 1.5]))
        self.cloud.servers.build_time = seconds(self.random.choice([0, 1, 6]))
        self.cloud.servers.delete_time = seconds(self.random.choice([0, 2]))
        self.cloud.servers.list_lag = seconds(self.random.choice([0, 2, 4]))
        self.balancer = self.cloud.balancers.add()
        self.foreign = {self.cloud.servers.add("pet", {"owner": "somebody"})}
        copied = {GROUP_KEY: "not ours", "otter:deployment": "another", "otter:instance": "x"}
        self.foreign.add(self.cloud.servers.add("another deployment's", copied))
        self.group = self.otter.create_group(
            self.random.randint(0, MAX),
            max_entities=MAX,
            balancers=self.random.choice([(), ((self.balancer, 80),)]),
            draining=self.random.choice([0, 0, 5]),
        )
        self.likelihood = self.random.choice([0.02, 0.1, 0.3])

    def ask(self, method: str) -> Fault | None:
        """Answer a cloud's question whether this call is to fail."""
        if self.random.random() >= self.likelihood:
            return None
        error = self.random.choice(FAULTS)
        lost = isinstance(error, TransientError) and self.random.random() < 0.5
        return Fault(error, lost=lost)

    def blow(self, ticks: int) -> None:
        """Let the storm rage."""
        self.cloud.ask = self.ask
        for _ in range(ticks):
            if self.random.random() < 0.06:
                self.disturb()
            self.otter.tick()
            self.check()

    def disturb(self) -> None:
        """Do one thing that happens in the world."""
        servers = self.otter.servers(self.group)
        match self.random.randrange(8):
            case 0:
                self.otter.crash()
                self.otter.tick(self.random.random() * 5)
                self.otter.start()
            case 1 if servers:
                self.cloud.servers.kill(self.random.choice(servers).server_id)
            case 2 if servers:
                status = self.random.choice(["ERROR", "SHUTOFF", "REBOOT", "WEIRD", "ACTIVE"])
                self.cloud.servers.set_status(self.random.choice(servers).server_id, status)
            case 3:
                self.cloud.servers.stick()
            case 4:
                self.cloud.servers.fail_builds()
            case 5 if servers:
                self.cloud.servers.hide(self.random.choice(servers).server_id, seconds(3))
            case 6:
                paused = self.random.random() < 0.2
                self.otter.change(self.group, paused=paused)
            case _:
                self.otter.change(self.group, desired=self.random.randint(0, MAX))

    def calm(self) -> None:
        """End the storm: the cloud is healthy from here on."""
        self.cloud.heal()
        self.cloud.servers._outcomes.clear()
        for server in self.otter.servers(self.group):
            if server.status in {"REBOOT", "WEIRD"}:
                self.cloud.servers.set_status(server.server_id, "ACTIVE")
        group = self.otter.group(self.group)
        self.otter.change(self.group, paused=False, desired=group.desired)

    def check(self) -> None:
        """S1 and S3, at any moment."""
        seen = self.cloud.servers.max_seen.get(self.group, 0)
        assert seen <= MAX, f"S1: {seen} servers of at most {MAX}"
        existing = {s.server_id for s in self.cloud.servers.all()}
        assert self.foreign <= existing, "S3: somebody else's server is gone"
        assert not self.foreign & set(self.cloud.servers.deleted), "S3: asked to delete a foreigner"

    def nodes(self) -> set[str]:
        """Return the addresses on the load balancer."""
        balancer = next(iter(self.cloud.balancers.all()))
        return {node.address for node in balancer.nodes}


class StormTests(SynchronousTestCase):
    """Every seed is a test of its own (added below)."""

    def weather(self, seed: int) -> None:
        """Run one storm and see what is left."""
        storm = Storm(seed)
        storm.blow(400)
        storm.calm()
        storm.otter.run_until(lambda: storm.otter.settled(storm.group), 240)
        storm.check()
        addresses = {a for s in storm.otter.servers(storm.group) for _, a in s.addresses}

        group = storm.otter.group(storm.group)
        self.assertEqual(len(addresses), group.desired)
        self.assertEqual(
            storm.nodes(), addresses if group.launch.args.get("loadBalancers") else set()
        )

        storm.otter.change(storm.group, deleting=True, desired=0)
        storm.otter.run_until(lambda: not storm.otter.servers(storm.group), 120)
        storm.otter.run(30)
        self.assertEqual(storm.nodes(), set())
        storm.check()
        self.assertEqual({s.server_id for s in storm.cloud.servers.all()}, storm.foreign)


def _storm(seed: int) -> Callable[[StormTests], None]:
    def test(self: StormTests) -> None:
        self.weather(seed)

    test.__doc__ = f"Storm {seed} breaks no promise, and calm restores what is desired."
    return test


for number in SEEDS:
    setattr(StormTests, f"test_seed_{number:03}", _storm(number))
