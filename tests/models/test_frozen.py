"""What records keep cannot be changed from outside."""

from pyrsistent import PMap, pmap, pvector
from twisted.trial.unittest import SynchronousTestCase

from otter.models.frozen import frozen_map, frozen_object


class FrozenTests(SynchronousTestCase):
    """Converters of fields."""

    def test_a_document_is_frozen_throughout(self) -> None:
        """Who changes the dictionary that was handed over does not change the record."""
        inner = {"list": [1, {"deep": True}]}

        frozen = frozen_object({"inner": inner})
        inner["list"].append(2)

        self.assertEqual(
            frozen, pmap({"inner": pmap({"list": pvector([1, pmap({"deep": True})])})})
        )
        self.assertIsInstance(hash(frozen), int)

    def test_a_map_is_frozen(self) -> None:
        """Its values are immutable already, so one level is enough."""
        given = {"a": 1}

        frozen = frozen_map(given)
        given["a"] = 2

        self.assertIsInstance(frozen, PMap)
        self.assertEqual(dict(frozen), {"a": 1})

    def test_a_frozen_map_is_not_copied(self) -> None:
        """Changing one field of a record costs nothing for its others."""
        given = pmap({"a": 1})

        self.assertIs(frozen_map(given), given)
