"""Tests of ``minicloud.background``."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from minicloud.background import Background


class BackgroundTests(SynchronousTestCase):
    """Work that outlives its caller."""

    def test_failure_is_logged(self) -> None:
        """Failing work is written down and disturbs nobody else."""
        background = Background()

        async def fail() -> None:
            raise KeyError("gone")

        background.run("test", fail())

        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_stop(self) -> None:
        """Stopping cancels what runs and refuses what comes, so that a shutdown ends."""
        background, ended = Background(), []

        async def wait() -> None:
            try:
                await Deferred[None]()
            finally:
                ended.append("cancelled")

        background.run("test", wait())
        stopping = Deferred.fromCoroutine(background.stop())
        background.run("test", wait())

        self.assertIsNone(self.successResultOf(stopping))
        self.assertEqual(ended, ["cancelled"])
