"""Tests of ``minicloud.controller.scheduling``."""

from twisted.trial.unittest import SynchronousTestCase

from minicloud.controller.scheduling import choose_host


class ChooseHostTests(SynchronousTestCase):
    """Where a server goes."""

    def test_least_loaded(self) -> None:
        """Servers spread over the nodes."""
        self.assertEqual(choose_host(["a", "b"], {"a": 2, "b": 1}, 5), "b")

    def test_first_of_equals(self) -> None:
        """Equal nodes are taken in order, so that runs repeat."""
        self.assertEqual(choose_host(["b", "a"], {}, 5), "b")

    def test_full(self) -> None:
        """A full node is passed over, and when all are full there is no host."""
        self.assertEqual(choose_host(["a", "b"], {"a": 1, "b": 5}, 5), "a")
        self.assertIsNone(choose_host(["a"], {"a": 5}, 5))
