"""What every ``LaunchChecker`` promises; the fake and the real one inherit these tests."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from pyrsistent import PMap, freeze
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import CloudError, TransientError
from otter.cloud.fake_launch import FakeLaunchChecker
from otter.cloud.interface import LaunchChecker
from otter.cloud.launch_rules import NO_STACKS, FileLimits
from otter.models.group import LaunchType
from otter.models.ids import TenantId

TENANT = TenantId("t-1")
IMAGE = "9fd5d3b4-b4bd-4b0e-9fcd-2c5b1f0f8c5e"


def server_args(**server: Any) -> PMap[str, object]:
    """Return ``launch_server`` args, good ones unless told otherwise."""
    frozen: PMap[str, object] = freeze({"server": {"imageRef": IMAGE, "flavorRef": "2", **server}})
    return frozen


def a_file(contents: str | bytes = b"hello", path: str = "/etc/motd") -> dict[str, str]:
    """Return a personality file; bytes are encoded, text is sent as it is."""
    text = b64encode(contents).decode() if isinstance(contents, bytes) else contents
    return {"path": path, "contents": text}


class LaunchContract(SynchronousTestCase):
    """
    The promises.

    :ivar checker: what is tested.
    :ivar world: the fake that is tested, or that stands behind it; takes the orders.
    """

    checker: LaunchChecker
    world: FakeLaunchChecker

    def offer_stacks(self, *, offered: bool) -> None:
        """Let there be an orchestration service or none."""
        self.world.orchestrated = offered

    def check(self, args: PMap[str, object], kind: LaunchType = LaunchType.SERVER) -> Sequence[str]:
        """Return the problems."""
        work = Deferred.fromCoroutine(self.checker.check_launch(TENANT, kind, args))
        return self.successResultOf(work)

    def check_stack(self) -> Sequence[str]:
        """Return the problems of a stack."""
        return self.check(freeze({"stack": {"template": {"a": 1}}}), LaunchType.STACK)

    # --- servers ----------------------------------------------------------------------------

    def test_good_config_has_no_problem(self) -> None:
        """Image ACTIVE, flavor there, files small and few."""
        self.assertEqual((), self.check(server_args(personality=[a_file()])))

    def test_unknown_image_is_told_in_the_clouds_words(self) -> None:
        """The owner reads which, and what the cloud said."""
        self.world.missing[IMAGE] = "Image not found."
        (problem,) = self.check(server_args())

        self.assertIn(IMAGE, problem)
        self.assertIn("image", problem)

    def test_image_must_be_active(self) -> None:
        """An image that is still being saved, or was taken out of use, boots nothing."""
        for status in ("SAVING", "DEACTIVATED", "DELETED"):
            self.world.image_statuses[IMAGE] = status
            (problem,) = self.check(server_args())

            self.assertIn(status, problem)

    def test_server_from_a_volume_has_no_image(self) -> None:
        """There is nothing to ask about."""
        self.world.missing[IMAGE] = "Image not found."
        for none in ("", None):
            args = server_args(imageRef=none, block_device_mapping=[])

            self.assertEqual((), self.check(args))

    def test_unknown_flavor_is_told(self) -> None:
        """Numbers of flavors are easily mistaken."""
        self.world.missing["8888"] = "Flavor 8888 could not be found."
        (problem,) = self.check(server_args(flavorRef="8888"))

        self.assertIn("Flavor 8888 could not be found.", problem)

    def test_links_stand_for_the_id_at_their_end(self) -> None:
        """Nova takes them, so configs that worked for years have them."""
        self.world.missing["8888"] = "none"
        good = server_args(flavorRef="http://nova.invalid/flavors/2/")
        bad = server_args(flavorRef="http://nova.invalid/flavors/8888")

        self.assertEqual((), self.check(good))
        self.assertEqual(1, len(self.check(bad)))

    def test_what_cannot_be_an_id_is_a_problem(self) -> None:
        """It could lead the question elsewhere, and the cloud would know none of them."""
        for name in ("..", ".", "/", "a/..", "x" * 256, "a\x00b"):
            problems = self.check(server_args(imageRef=name, flavorRef=name))

            self.assertEqual(2, len(problems), name)

    def test_ids_of_all_kinds_can_be_asked_for(self) -> None:
        """Whatever is in an id, it stays one segment of the path."""
        for name in ("INVALID-IMAGE-ID", "1111", "a?b=c", "ü%2F", "a#b", "a;b&c"):
            self.world.missing[name] = "no"
            bad = self.check(server_args(imageRef=f"x/{name}", flavorRef=f"{name}/"))
            self.world.missing.clear()
            good = self.check(server_args(imageRef=name, flavorRef=name))

            self.assertEqual((2, 0), (len(bad), len(good)), name)

    def test_personality_beyond_the_clouds_limits(self) -> None:
        """More files, or larger ones, than compute takes."""
        self.world.limits = FileLimits(count_max=2, size_max_bytes=10)
        files = [a_file(b"x" * 11), a_file(b"x" * 10, "/b"), a_file(b"", "/c")]
        problems = self.check(server_args(personality=files))

        self.assertEqual(3, len(problems))
        self.assertIn("3 personality files", problems[0])
        self.assertIn("/etc/motd", problems[1])
        self.assertIn("11 bytes", problems[1])
        self.assertIn("/c", problems[2])

    def test_personality_without_limits(self) -> None:
        """A cloud that has none, or does not tell, takes everything that is base64."""
        self.world.limits = FileLimits()
        files = [a_file(b"x" * 100_000)] * 20

        self.assertEqual((), self.check(server_args(personality=files)))
        self.assertEqual(1, len(self.check(server_args(personality=[a_file("no.base64")]))))

    def test_all_problems_are_told_at_once(self) -> None:
        """Nobody wants to find them one by one."""
        self.world.missing = {IMAGE: "no", "2": "no"}
        problems = self.check(server_args(personality=[a_file("not base64")]))

        self.assertEqual(3, len(problems))

    def test_problems_are_lines(self) -> None:
        """They become one message, one line each."""
        self.world.missing[IMAGE] = "no"
        files = [a_file(" ", "/a\nb")]
        for problem in self.check(server_args(personality=files)):
            self.assertEqual(1, len(problem.splitlines()))

    def test_cloud_that_cannot_be_asked_is_an_error(self) -> None:
        """Not knowing is no problem of the owner's config, and no leave to accept it."""
        self.world.error = TransientError("broken", status=500)
        work = Deferred.fromCoroutine(
            self.checker.check_launch(TENANT, LaunchType.SERVER, server_args())
        )

        self.failureResultOf(work, CloudError)

    # --- stacks -----------------------------------------------------------------------------

    def test_good_stack_has_no_problem(self) -> None:
        """Orchestration can preview it."""
        self.offer_stacks(offered=True)

        self.assertEqual((), self.check_stack())

    def test_bad_stack_is_told_in_the_clouds_words(self) -> None:
        """Heat explains what is wrong with a template better than we could."""
        self.offer_stacks(offered=True)
        for status in (400, 404, 409):
            self.world.preview = (status, "Invalid template.")

            self.assertEqual(
                ("The stack cannot be created: Invalid template.",), self.check_stack()
            )

    def test_other_statuses_of_a_preview_tell_nothing(self) -> None:
        """Some clouds do not let anybody preview; that makes no stack bad."""
        self.offer_stacks(offered=True)
        for status in (403, 405, 413, 422, 429, 500, 501, 503):
            self.world.preview = (status, "no")

            self.assertEqual((), self.check_stack())

    def test_stacks_need_an_orchestration_service(self) -> None:
        """Without one, no stack of this group would ever come to be."""
        self.offer_stacks(offered=False)

        self.assertEqual((NO_STACKS,), self.check_stack())
