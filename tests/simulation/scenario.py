"""A stage for the scenarios of lessons.md section 2: one process, one tenant, one cloud."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.interface import Node
from otter.models.ids import GroupId, LoadBalancerId, ServerId
from otter.supervisor.settings import SupervisorSettings
from tests.simulation.world import SimulatedOtter, seconds

SETTINGS = SupervisorSettings(
    build_timeout=seconds(20),
    settle=seconds(5),
    abandon=seconds(20),
    job_deadline=seconds(10),
    retry_first=seconds(1),
    retry_max=seconds(10),
    sweep=seconds(10),
    replacements_per_hour=1000,
)


class ScenarioCase(SynchronousTestCase):
    """One process, one tenant, a cloud in which building takes two seconds."""

    def setUp(self) -> None:
        """Start Otter."""
        self.otter = SimulatedOtter(1, SETTINGS)
        self.servers = self.otter.cloud.servers
        self.balancers = self.otter.cloud.balancers
        self.servers.build_time = seconds(2)

    def up(
        self, desired: int, *on: LoadBalancerId, port: int = 80, most: int = 1000, draining: int = 0
    ) -> GroupId:
        """Create a group and wait until it is what it wants to be."""
        group = self.otter.create_group(
            desired,
            max_entities=most,
            balancers=tuple((lb, port) for lb in on),
            draining=draining,
        )
        self.settle(group)
        return group

    def settle(self, group: GroupId, within: float = 120) -> None:
        """Wait until ledger and cloud agree on what is desired, all of it in service."""
        self.until(lambda: self.otter.settled(group), within)
        self.assertEqual(self.reasons(group), ())

    def until(self, condition: Callable[[], bool], within: float = 120) -> None:
        """Wait until something holds."""
        self.otter.run_until(condition, within)

    def scale(self, group: GroupId, by: int = 0) -> None:
        """Change the desired capacity as a policy does; by nothing, like ``converge``."""
        self.otter.change(group, desired=self.otter.group(group).desired + by)

    def ids(self, group: GroupId) -> list[ServerId]:
        """Return the group's servers as the cloud lists them, oldest first."""
        return [s.server_id for s in self.otter.servers(group)]

    def addresses(self, group: GroupId) -> set[str]:
        """Return the addresses of the group's servers."""
        return {a for s in self.otter.servers(group) for _, a in s.addresses}

    def nodes(self, balancer: LoadBalancerId) -> dict[tuple[str, int], Node]:
        """Return a load balancer's members by address and port."""
        return {(n.address, n.port): n for n in self.balancers.show(balancer).nodes}

    def on(self, balancer: LoadBalancerId) -> set[str]:
        """Return the addresses on a load balancer."""
        return {address for address, _ in self.nodes(balancer)}

    def reasons(self, group: GroupId) -> tuple[str, ...]:
        """Return why the group is in ERROR."""
        return self.otter.ledger(group).convergence.reasons

    def until_error(self, group: GroupId) -> None:
        """Wait until the group is in ERROR."""
        self.until(lambda: bool(self.reasons(group)))

    def kill(self, group: GroupId, count: int) -> None:
        """Delete the group's oldest servers out of band."""
        for server_id in self.ids(group)[:count]:
            self.servers.kill(server_id)

    def disown(self, server_id: ServerId) -> None:
        """Take our marks off a server, as its owner can."""
        self.servers.set_metadata(server_id, {})
