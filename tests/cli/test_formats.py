"""One document, four formats."""

from decimal import Decimal
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from otter.cli.display.columns import at
from otter.cli.display.formats import Column, Format, Style, write_list, write_one
from otter.cli.documents import read_json
from otter.cli.exits import UsageError

COLUMNS = (
    Column("id", at("id"), whole=True),
    Column("name", at("state", "name")),
    Column("tags", at("tags"), extra=True),
)
ITEM: dict[str, Any] = {"id": "1", "state": {"name": "a b", "n": Decimal("0.50")}, "tags": ["x"]}

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=10,
)


class WriteListTests(SynchronousTestCase):
    """Collections."""

    def test_table(self) -> None:
        """People see the usual columns."""
        self.assertEqual("ID  NAME\n1   a b\n", write_list([ITEM], COLUMNS, Style()))

    def test_value(self) -> None:
        """Shells get tabs, so that a name with a blank is still one cell."""
        self.assertEqual("1\ta b\n", write_list([ITEM], COLUMNS, Style(Format.VALUE)))

    def test_json_is_whole(self) -> None:
        """Scripts see what the service said, to the last digit."""
        found = write_list([ITEM], COLUMNS, Style(Format.JSON))

        self.assertEqual([ITEM], read_json(found))
        self.assertIn("0.50", found)

    def test_chosen_columns(self) -> None:
        """In any format, exactly what was named comes, in that order."""
        chosen = ("tags", "id")

        self.assertEqual("x\t1\n", write_list([ITEM], COLUMNS, Style(Format.VALUE, chosen)))
        self.assertEqual(
            [[("tags", ["x"]), ("id", "1")]],
            [
                list(item.items())
                for item in read_json(write_list([ITEM], COLUMNS, Style(Format.JSON, chosen)))
            ],
        )

    def test_empty(self) -> None:
        """No items are an empty collection in each format."""
        found = [write_list([], COLUMNS, Style(wanted)) for wanted in Format]

        self.assertEqual(["ID  NAME\n", "[]\n", "[]\n", ""], found)

    def test_misspelt_column(self) -> None:
        """The names there are come with the refusal."""
        with self.assertRaisesRegex(UsageError, "no column nmae; there are id, name, tags"):
            write_list([ITEM], COLUMNS, Style(chosen=("nmae",)))


class WriteOneTests(SynchronousTestCase):
    """Single resources."""

    def test_table(self) -> None:
        """What a resource does not have takes no line."""
        self.assertEqual("id  1\n", write_one({"id": "1"}, COLUMNS, Style()))

    def test_asked_for(self) -> None:
        """What was named has its line even if it is empty."""
        self.assertEqual("name\n", write_one({"id": "1"}, COLUMNS, Style(chosen=("name",))))

    def test_value(self) -> None:
        """One value per line, an empty line for what is missing: positions can be counted on."""
        self.assertEqual("1\n\n", write_one({"id": "1"}, COLUMNS, Style(Format.VALUE)))

    @given(some.dictionaries(some.text(), VALUES))
    def test_yaml_means_the_same(self, document: dict[str, Any]) -> None:
        """Whatever the service says can be read back from YAML."""
        found = write_one(document, COLUMNS, Style(Format.YAML))

        self.assertEqual(document, yaml.safe_load(found))

    def test_yaml_numbers(self) -> None:
        """Fractions are numbers in YAML too, and parts that recur are written out."""
        part = {"n": Decimal("1.50")}
        found = write_one({"a": part, "b": part}, COLUMNS, Style(Format.YAML))

        self.assertEqual("a:\n  n: 1.50\nb:\n  n: 1.50\n", found)
