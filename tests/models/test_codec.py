"""Records come back from JSON as they went in."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from attrs import fields, has
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrsistent import PMap
from twisted.trial.unittest import SynchronousTestCase

from otter.bus.interface import Job, JobResult, Notice, Step
from otter.models.activity import Activity, Deployment, Lease, Notification
from otter.models.codec import capability_digest, dump_json, load_json, make_codec, time_text
from otter.models.group import Group, LaunchConfig, LaunchType
from otter.models.ids import CapabilityHash, GroupId, PolicyId, TenantId
from otter.models.ledger import Convergence, LedgerEntry
from otter.models.policy import Adjustment, At, ChangePercent, Policy, Schedule, Webhook

RECORDS: tuple[Any, ...] = (
    *(Activity, Deployment, Lease, Notification),
    *(Group, Convergence, LedgerEntry, Policy, Webhook, Schedule),
    *(Notice, Job, JobResult),
)

TIMES = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3))]))
FRACTIONS = st.decimals(allow_nan=False, allow_infinity=False).filter(
    lambda number: not str(number).lstrip("-").isdigit()
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | FRACTIONS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return the values that a field of a record may have."""
    simple = {
        datetime: TIMES,
        Decimal: st.decimals(allow_nan=False, allow_infinity=False),
        object: DOCUMENTS,
    }
    if kind in simple:
        return simple[kind]
    if has(kind):
        return st.builds(kind, **{field.name: values(field.type) for field in fields(kind)})
    if get_origin(kind) is None:
        return st.from_type(kind)
    return container_values(get_origin(kind), get_args(kind))


def container_values(origin: Any, arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Return the values of a type that is made of others."""
    if origin is PMap:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)
    if origin in (Union, UnionType):
        return st.one_of([st.none() if a is NoneType else values(a) for a in arguments])
    if arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    return st.tuples(*(values(argument) for argument in arguments))


class RoundTripTests(SynchronousTestCase):
    """There and back."""

    def setUp(self) -> None:
        """Make a codec once, as stores do."""
        self.codec = make_codec(*RECORDS)

    @settings(deadline=None)
    @given(st.one_of([values(record) for record in RECORDS]))
    def test_every_record_comes_back(self, record: Any) -> None:
        """Whatever its fields hold, nothing is lost, rounded or left unfrozen."""
        text = self.codec.encode(record)
        back = self.codec.decode(text, type(record))

        self.assertEqual(back, record)
        self.assertEqual(hash(back), hash(record))
        self.assertTrue(text.isascii())

    @settings(deadline=None)
    @given(values(Step))
    def test_a_value_of_a_union_comes_back_by_itself(self, step: Any) -> None:
        """Messages may be a union, not only hold one."""
        union: Any = Step

        back = self.codec.decode(self.codec.encode(step, union), union)

        self.assertEqual(back, step)

    def test_decimals_keep_their_digits(self) -> None:
        """``1.50`` and ``1.5`` are the same number and not the same text; owners see their own."""
        for text in ("1.50", "0.10", "-0", "100", "1E+2", "0.1000000000000000055511151231257827"):
            adjustment = ChangePercent(Decimal(text))

            back = self.codec.decode(self.codec.encode(adjustment, Adjustment), ChangePercent)

            self.assertEqual(str(back.percent), text)

    def test_numbers_in_documents_keep_their_digits(self) -> None:
        """A launch config is given back exactly as its owner sent it."""
        text = '{"ram":1.50,"disk":1E+2,"count":10,"big":12345678901234567890.10}'
        launch = LaunchConfig(1, LaunchType.SERVER, load_json(text))

        back = self.codec.decode(self.codec.encode(launch), LaunchConfig)

        self.assertEqual({key: str(value) for key, value in back.args.items()}["ram"], "1.50")
        self.assertEqual(str(back.args["big"]), "12345678901234567890.10")
        self.assertEqual(back, launch)

    def test_a_record_that_grew_reads_what_was_written_before(self) -> None:
        """A new field with a default needs no migration, and an old program ignores it."""
        document = self.codec.to_plain(Schedule(*_key(), datetime(2026, 1, 1, tzinfo=UTC), 7))
        del document["version"]
        document["added"] = 1

        back = self.codec.from_plain(document, Schedule)

        self.assertEqual(back.version, 1)

    def test_a_missing_union_is_none(self) -> None:
        """A policy without schedule has none, not an empty one."""
        policy = Policy(*_key(), "n", Decimal(0), ChangePercent(Decimal(1)))

        back = self.codec.decode(self.codec.encode(policy), Policy)

        self.assertIsNone(back.schedule)
        self.assertIn('"is":"At"', self.codec.encode(At("x"), At | None | ChangePercent))


def _key() -> tuple[Any, Any, Any]:
    return (TenantId("t"), GroupId("g"), PolicyId("p"))


class TextTests(SynchronousTestCase):
    """Texts that are compared."""

    @settings(deadline=None)
    @given(st.lists(TIMES))
    def test_times_sort_as_text(self, times: list[datetime]) -> None:
        """What is due is found by comparing texts."""
        by_text = sorted(times, key=time_text)

        self.assertEqual(by_text, sorted(times))

    def test_a_time_without_zone_is_refused(self) -> None:
        """It would mean another moment on another machine."""
        naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test

        with self.assertRaises(ValueError):
            time_text(naive)

    @settings(deadline=None)
    @given(DOCUMENTS)
    def test_documents_come_back(self, document: Any) -> None:
        """JSON of ours is read by ours."""
        self.assertEqual(load_json(dump_json(document)), document)

    def test_a_digest_does_not_show_its_secret(self) -> None:
        """The index can be read without learning a capability; other secrets, other digests."""
        secret = CapabilityHash("a" * 64)

        digest = capability_digest(secret)

        self.assertEqual(len(digest), 64)
        self.assertNotEqual(digest, secret)
        self.assertNotEqual(digest, capability_digest(CapabilityHash("a" * 63)))
        self.assertEqual(len(capability_digest(CapabilityHash("\ud800"))), 64)
