"""The page that lists the whole API."""

import re
from importlib import import_module

from twisted.trial.unittest import SynchronousTestCase

from otter.rest.errors import CATALOGUE
from otter.rest.openapi_operations import OPERATIONS
from tools.api_reference import reference


class ApiReferenceTests(SynchronousTestCase):
    """It is made from the OpenAPI document, and leaves nothing out."""

    def setUp(self) -> None:
        """Make the page."""
        self.page = reference()

    def test_every_operation(self) -> None:
        """Each method of each path has a section of its own, with what it answers."""
        for method, path in OPERATIONS:
            heading = f"{method} {path}".replace("<", "{").replace(">", "}")
            self.assertIn(f"\n{heading}\n{'~' * len(heading)}\n", self.page)

    def test_every_error(self) -> None:
        """Whoever looks up the type of an error finds it, once in the table at least."""
        for wire in CATALOGUE.values():
            self.assertIn(f"   * - {wire.status}\n     - ``{wire.type}``\n", self.page)

    def test_every_body(self) -> None:
        """Each body that is sent or answered is described, down to the fields of its fields."""
        for operation in OPERATIONS.values():
            for name in (operation.answer, operation.body[0] if operation.body else None):
                if name is not None:
                    self.assertIn(f"\n{name}\n{'~' * len(name)}\n", self.page)
        for field in (
            "groupConfiguration.minEntities",
            "scalingPolicies[].changePercent",
            "group.state.active[].id",
            "loadBalancers[].port",
            "server.flavorRef",
        ):
            self.assertIn(f"``{field}``", self.page)

    def test_bounds(self) -> None:
        """The rules of the schemas are told in words."""
        row = self.page.partition("``groupConfiguration.cooldown``")[2].partition("   * -")[0]

        self.assertIn("required; at least 0; at most 86400", row)

    def test_markup(self) -> None:
        """It is reStructuredText without a mistake; only Sphinx knows the roles for links."""
        plain = re.sub(r":ref:`([^<`]+) <[^>]+>`", r"\1", self.page)
        docutils = import_module("docutils.core")  # it has no types
        warnings_are_errors = {"report_level": 2, "halt_level": 2}

        tree = docutils.publish_doctree(plain, settings_overrides=warnings_are_errors)
        self.assertEqual(tree["title"], "API reference")
