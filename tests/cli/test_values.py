"""Single arguments, as typed."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from otter.cli import values


class ValuesTests(SynchronousTestCase):
    """What argparse calls with the text of an argument."""

    def refused(self, read: Callable[[str], Any], *texts: str) -> None:
        """Check that none of these can be read."""
        for text in texts:
            with self.assertRaises(ArgumentTypeError, msg=text):
                read(text)

    def test_numbers_are_exact(self) -> None:
        """The service tells 5 from 5.0, and 0.1 must not become 0.1000000000000000055."""
        self.assertEqual(
            [5, Decimal("5.0"), Decimal("0.1")], [*map(values.number, ("5", "5.0", "0.1"))]
        )
        self.assertIsInstance(values.number("-25"), int)

    def test_no_numbers(self) -> None:
        """JSON has no words for infinity."""
        self.refused(values.number, "", "x", "NaN", "Infinity", "1,5")

    def test_whole(self) -> None:
        """Signs are fine, fractions are not."""
        self.assertEqual([2, -1], [values.whole("+2"), values.whole("-1")])
        self.refused(values.whole, "1.5", "", "two")

    def test_positive(self) -> None:
        """A limit of nothing is a typing error."""
        self.assertEqual(1, values.positive("1"))
        self.refused(values.positive, "0", "-1", "x")

    def test_duration(self) -> None:
        """Seconds, with fractions if need be, and no more than makes sense."""
        self.assertEqual(timedelta(seconds=1.5), values.duration("1.5"))
        self.refused(values.duration, "-1", "x", "1e9", "Infinity")

    def test_key_value(self) -> None:
        """Only the first equals sign separates; a value may be empty."""
        self.assertEqual(("k", "v=w"), values.key_value("k=v=w"))
        self.assertEqual(("k", ""), values.key_value("k="))
        self.refused(values.key_value, "k", "")

    @given(some.integers(min_value=0), some.integers(min_value=0))
    def test_load_balancer_by_number(self, identity: int, port: int) -> None:
        """Ids that are numbers stay numbers, because the service tells 1 from "1"."""
        self.assertEqual(
            {"loadBalancerId": identity, "port": port}, values.load_balancer(f"{identity}:{port}")
        )

    def test_load_balancer_by_name(self) -> None:
        """Other clouds' ids are texts."""
        self.assertEqual({"loadBalancerId": "a-b", "port": 80}, values.load_balancer("a-b:80"))

    def test_no_load_balancer(self) -> None:
        """A port that is forgotten is told before anything is created."""
        self.refused(values.load_balancer, "4410", ":80", "4410:", "4410:http", "4410:-1", "1:²")
