"""Changing groups: config, launch config, pause, resume, converge."""

from collections.abc import Callable, Coroutine
from typing import Any

from attrs import evolve

from otter.bus.interface import Notice
from otter.controller.errors import (
    GroupPausedError,
    InvalidMinEntities,
    TenantSuspendedError,
)
from otter.models.activity import ActivityKind
from otter.models.errors import StoreUnavailableError
from otter.models.group import Group, LaunchType
from tests.controller.world import (
    ACTOR,
    GROUP,
    LAUNCH,
    NOW,
    POLICY,
    TENANT,
    ControllerCase,
    a_config,
    a_group,
    a_launch,
    failing,
)

Call = Coroutine[Any, Any, object]


class ConfigTests(ControllerCase):
    """Replacing config and launch config."""

    def set_config(self, low: int, high: int, cooldown: int = 0) -> Call:
        """Return the call that sets bounds and cooldown."""
        config = a_config(low, high, cooldown)
        return self.controller.set_config(TENANT, GROUP, config, actor=ACTOR)

    def test_clamped(self) -> None:
        """The desired capacity follows the new bounds at once, and cooldowns stay out of it."""
        for bounds, desired in (((6, 9), 6), ((0, 9), 5), ((0, 3), 3), ((0, 20), 5)):
            self.setUp()
            before = a_group(5, cooldown=60, group_touched=NOW, policy_touched={POLICY: NOW})
            self.put_group(before)

            self.ended(self.set_config(*bounds, cooldown=7))

            self.assertEqual(
                self.group(),
                evolve(
                    before,
                    config=a_config(bounds[0], bounds[1], 7),
                    desired=desired,
                    generation=2,
                ),
            )

    def test_unchanged_converges(self) -> None:
        """Setting what is set still asks for a cycle, which replaces servers lost out of band."""
        self.put_group()

        self.ended(self.set_config(0, 10))

        self.assertEqual((self.marks(), self.bus.notices), ([2], [Notice(TENANT, GROUP)]))

    def test_history(self) -> None:
        """The history tells the new bounds and what they did to the desired capacity."""
        self.put_group(a_group(5))

        self.ended(self.set_config(0, 3))

        line = self.history()[0]
        self.assertEqual((line.kind, line.actor), (ActivityKind.CONFIG, ACTOR))
        self.assertEqual(
            dict(line.details),
            {
                "desired_before": 5,
                "desired_after": 3,
                "min_entities": 0,
                "max_entities": 3,
                "cooldown": 0,
            },
        )

    def test_paused(self) -> None:
        """While paused the config is stored and converging left to the resume."""
        self.put_group(a_group(paused=True))

        self.ended(self.set_config(0, 3))

        self.assertEqual(self.group().desired, 3)
        self.assertEqual((self.marks(), self.bus.notices), ([], []))

    def test_suspended(self) -> None:
        """A suspended group is refused and keeps its config."""
        self.put_group(a_group(suspended=True))

        self.refused(self.set_config(0, 3), TenantSuspendedError)

        self.assertEqual(self.group(), a_group(suspended=True))

    def test_order_of_checks(self) -> None:
        """Contradicting bounds are told before an unknown group."""
        self.refused(self.set_config(3, 2), InvalidMinEntities)

    def test_launch(self) -> None:
        """A new launch config is the next version and moves nothing, suspended or not."""
        self.put_group(a_group(suspended=True))
        launch = a_launch(LaunchType.SERVER, server={"flavorRef": "8", "metadata": None})

        self.ended(self.controller.set_launch(TENANT, GROUP, launch, actor=ACTOR))

        stored = self.group().launch
        self.assertEqual((stored.version, self.marks(), self.bus.notices), (2, [], []))
        self.assertEqual(stored.args, a_launch(server={"flavorRef": "8"}).args)
        self.assertEqual(
            [(line.kind, dict(line.details)) for line in self.history()],
            [(ActivityKind.LAUNCH, {"version": 2})],
        )


class SwitchTests(ControllerCase):
    """Pausing, resuming and converging."""

    def test_pause(self) -> None:
        """Pausing is stored and wakes nobody; pausing again writes nothing."""
        self.put_group()

        self.ended(self.controller.pause(TENANT, GROUP, actor=ACTOR))
        self.ended(self.controller.pause(TENANT, GROUP, actor=ACTOR))

        self.assertEqual(self.group(), a_group(paused=True, generation=2))
        self.assertEqual((self.marks(), self.bus.notices), ([], []))
        self.assertEqual(self.kinds(), [ActivityKind.PAUSED])

    def test_resume(self) -> None:
        """Resuming asks for a cycle, for all that was left undone; cooldowns stay."""
        self.put_group(a_group(paused=True, group_touched=NOW))

        self.ended(self.controller.resume(TENANT, GROUP, actor=ACTOR))

        self.assertEqual(self.group(), a_group(group_touched=NOW, generation=2))
        self.assertEqual((self.marks(), self.bus.notices), ([2], [Notice(TENANT, GROUP)]))
        self.assertEqual(self.kinds(), [ActivityKind.RESUMED])

    def test_resume_again(self) -> None:
        """Resuming what is not paused is fine, asks for a cycle, and is no event."""
        self.put_group()

        self.ended(self.controller.resume(TENANT, GROUP, actor=ACTOR))

        self.assertEqual((self.marks(), self.kinds()), ([2], []))

    def test_suspended(self) -> None:
        """A suspended group may be paused and resumed."""
        self.put_group(a_group(suspended=True))

        self.ended(self.controller.pause(TENANT, GROUP, actor=ACTOR))
        self.ended(self.controller.resume(TENANT, GROUP, actor=ACTOR))

        self.assertFalse(self.group().paused)

    def test_converge(self) -> None:
        """Converging changes nothing but marks the group."""
        self.put_group()

        self.ended(self.controller.converge(TENANT, GROUP, actor=ACTOR))

        self.assertEqual(self.group(), a_group(generation=2))
        self.assertEqual((self.marks(), self.bus.notices), ([2], [Notice(TENANT, GROUP)]))
        self.assertEqual(self.kinds(), [ActivityKind.CONVERGE])

    def test_converge_refused(self) -> None:
        """Suspension is told before the pause; a refused call marks nothing."""
        cases: list[tuple[Group, type[Exception]]] = [
            (a_group(suspended=True, paused=True), TenantSuspendedError),
            (a_group(paused=True), GroupPausedError),
        ]
        for group, error in cases:
            self.setUp()
            self.put_group(group)

            self.refused(self.controller.converge(TENANT, GROUP, actor=ACTOR), error)

            self.assertEqual((self.group(), self.marks(), self.kinds()), (group, [], []))


class SuspendTests(ControllerCase):
    """Flagging groups from outside (rest-api.md 3.17)."""

    def flag(self, *, suspended: bool) -> bool:
        """Set the flag; return whether that changed anything."""
        return self.ended(
            self.controller.set_suspended(TENANT, GROUP, suspended=suspended, actor="operator")
        )

    def test_suspend(self) -> None:
        """The flag is set and told by the history; nobody needs to look, since nothing moves."""
        self.put_group()

        self.assertTrue(self.flag(suspended=True))
        self.assertEqual(self.group(), a_group(suspended=True, generation=2))
        self.assertEqual((self.marks(), self.bus.notices), ([], []))
        line = self.history()[0]
        self.assertEqual((line.kind, line.actor), (ActivityKind.SUSPENDED, "operator"))

    def test_restore(self) -> None:
        """Without the flag the group converges, for all that was left undone."""
        self.put_group(a_group(suspended=True))

        self.assertTrue(self.flag(suspended=False))
        self.assertEqual(self.group(), a_group(generation=2))
        self.assertEqual((self.marks(), self.bus.notices), ([2], [Notice(TENANT, GROUP)]))
        self.assertEqual(self.kinds(), [ActivityKind.UNSUSPENDED])

    def test_again(self) -> None:
        """Saying it twice writes nothing, so that whoever flags many may start over."""
        for suspended in (True, False):
            self.setUp()
            self.put_group(a_group(suspended=suspended))

            self.assertFalse(self.flag(suspended=suspended))
            self.assertEqual(self.group(), a_group(suspended=suspended))
            self.assertEqual((self.marks(), self.kinds()), ([], []))


class StoreDownTests(ControllerCase):
    """What callers learn when the store fails."""

    def test_unavailable(self) -> None:
        """The failure reaches the caller as it is, for every call that writes the group."""
        controller = self.controller
        writing: list[Callable[[], Call]] = [
            lambda: controller.delete_group(TENANT, GROUP, force=True, actor=ACTOR),
            lambda: controller.set_config(TENANT, GROUP, a_config(), actor=ACTOR),
            lambda: controller.set_launch(TENANT, GROUP, LAUNCH, actor=ACTOR),
            lambda: controller.pause(TENANT, GROUP, actor=ACTOR),
            lambda: controller.resume(TENANT, GROUP, actor=ACTOR),
            lambda: controller.set_suspended(TENANT, GROUP, suspended=True, actor=ACTOR),
            lambda: controller.converge(TENANT, GROUP, actor=ACTOR),
        ]
        self.put_group()
        for call in writing:
            self.store.before_write.append(failing(StoreUnavailableError("down")))

            self.refused(call(), StoreUnavailableError)

        self.assertEqual((self.group(), self.bus.notices), (a_group(), []))
