"""How a server of ours is recognised."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.interface import (
    DEPLOYMENT_KEY,
    GROUP_KEY,
    INSTANCE_KEY,
    LEGACY_GROUP_KEY,
    MARK_KEYS,
)
from otter.models.ids import DeploymentId, GroupId, InstanceId, new_uuid
from otter.supervisor.marks import Marks, marks_of, metadata_for, server_name
from tests.supervisor.world import MARKS_OF, a_server, an_entry

texts = st.text(min_size=1, max_size=8)


class MarksTests(SynchronousTestCase):
    """Marks in metadata."""

    @given(texts, texts, texts)
    def test_what_is_written_is_read(self, deployment: str, group: str, instance: str) -> None:
        """Marks survive the way through metadata."""
        marks = Marks(DeploymentId(deployment), GroupId(group), InstanceId(instance))
        server = a_server(an_entry(), metadata=metadata_for(marks))

        self.assertEqual(marks_of(server), marks)

    def test_all_four_keys_are_written(self) -> None:
        """Old tools rely on the first two; releasing a server removes exactly these."""
        self.assertEqual(set(metadata_for(MARKS_OF)), set(MARK_KEYS))

    def test_the_owners_metadata_does_not_matter(self) -> None:
        """Owners add what they like beside our marks."""
        server = a_server(an_entry(), metadata=metadata_for(MARKS_OF).set("colour", "blue"))

        self.assertEqual(marks_of(server), MARKS_OF)

    def test_one_missing_mark_makes_it_a_stranger(self) -> None:
        """Half of the marks prove nothing, so such a server is nobody's business of ours."""
        for key in (GROUP_KEY, INSTANCE_KEY, DEPLOYMENT_KEY):
            server = a_server(an_entry(), metadata=metadata_for(MARKS_OF).remove(key))

            self.assertIsNone(marks_of(server), key)

    def test_an_empty_mark_is_no_mark(self) -> None:
        """Setting a value to nothing disowns like removing it."""
        server = a_server(an_entry(), metadata=metadata_for(MARKS_OF).set(INSTANCE_KEY, ""))

        self.assertIsNone(marks_of(server))

    def test_the_legacy_key_may_be_missing_but_not_disagree(self) -> None:
        """Two different groups on one server: somebody meddled, hands off."""
        metadata = metadata_for(MARKS_OF)
        without = a_server(an_entry(), metadata=metadata.remove(LEGACY_GROUP_KEY))
        other = a_server(an_entry(), metadata=metadata.set(LEGACY_GROUP_KEY, "another"))

        self.assertEqual(marks_of(without), MARKS_OF)
        self.assertIsNone(marks_of(other))


class NameTests(SynchronousTestCase):
    """Names of servers."""

    def test_the_configured_name_comes_first(self) -> None:
        """Owners recognise their servers by it."""
        name = server_name("web", InstanceId("0123-4567-89ab-cdef"))

        self.assertEqual(name, "web-as0123456789ab")

    def test_without_a_usable_name_there_is_the_suffix_alone(self) -> None:
        """A missing, empty or nonsensical name still leaves a unique one."""
        for configured in (None, "", 7, ["web"]):
            self.assertEqual(server_name(configured, InstanceId("0123-4567")), "as01234567")

    def test_names_differ_and_repeat(self) -> None:
        """The same instance is always looked up under the same name, another under another."""
        first, second = InstanceId(new_uuid()), InstanceId(new_uuid())

        self.assertEqual(server_name("web", first), server_name("web", first))
        self.assertNotEqual(server_name("web", first), server_name("web", second))

    def test_marks_are_values(self) -> None:
        """Two marks are the same only if all three parts are."""
        self.assertNotEqual(MARKS_OF, evolve(MARKS_OF, group_id=GroupId("another")))
