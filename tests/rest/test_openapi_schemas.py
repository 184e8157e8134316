"""Turning draft 4 into draft 2020-12: no document is judged otherwise afterwards."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from otter.controller.errors import ValidationError
from otter.rest.openapi_schemas import component_schemas, modernised
from otter.rest.validation import FILES, read_schema
from tests.openapi import Checker
from tests.rest import world
from tools.openapi import document

# --- generated schemas ------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "id", "items"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "id"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
PLAIN = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["object", "array", "integer", "string"])}),
    st.fixed_dictionaries({"enum": st.lists(VALUES, min_size=1, max_size=3)}),
    st.fixed_dictionaries(
        {"minimum": st.integers(-3, 3)}, optional={"exclusiveMinimum": st.booleans()}
    ),
    st.fixed_dictionaries(
        {"maximum": st.integers(-3, 3)}, optional={"exclusiveMaximum": st.booleans()}
    ),
    st.fixed_dictionaries({"required": st.lists(NAMES, min_size=1, max_size=2, unique=True)}),
)


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return schemas made of schemas, by every keyword that changed and some that did not."""
    schemas = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        st.fixed_dictionaries(
            {"items": schemas}, optional={"additionalItems": st.booleans() | inner}
        ),
        st.fixed_dictionaries({"items": inner, "additionalItems": st.booleans()}),
        st.fixed_dictionaries(
            {"properties": st.dictionaries(NAMES, inner, max_size=2)},
            optional={"additionalProperties": st.booleans() | inner},
        ),
        st.fixed_dictionaries(
            {
                "dependencies": st.dictionaries(
                    NAMES, st.lists(NAMES, min_size=1, max_size=2, unique=True) | inner, max_size=2
                )
            }
        ),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"oneOf": schemas}),
        st.fixed_dictionaries({"allOf": schemas}),
    )


SCHEMAS = st.recursive(PLAIN, _grown, max_leaves=6)


def unchanged(reference: str) -> str:
    """Leave references where they are."""
    return reference


class ConversionTests(SynchronousTestCase):
    """One schema."""

    def test_keywords(self) -> None:
        """What each keyword that changed becomes; properties of the same names stay."""
        rows: list[tuple[Any, Any]] = [
            ({"$schema": "draft 4", "type": "string"}, {"type": "string"}),
            ({"id": "urn:x"}, {"$id": "urn:x"}),
            (
                {"properties": {"id": {"type": "string"}}},
                {"properties": {"id": {"type": "string"}}},
            ),
            ({"items": [{}, {}]}, {"prefixItems": [{}, {}]}),
            ({"items": [{}], "additionalItems": False}, {"prefixItems": [{}], "items": False}),
            ({"items": {}, "additionalItems": False}, {"items": {}}),
            ({"minimum": 0, "exclusiveMinimum": True}, {"exclusiveMinimum": 0}),
            ({"minimum": 0, "exclusiveMinimum": False}, {"minimum": 0}),
            (
                {"dependencies": {"a": ["b"], "c": {"type": "object"}}},
                {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"type": "object"}}},
            ),
            ({"$ref": "#/x", "type": "string"}, {"$ref": "#/x"}),
        ]
        for old, new in rows:
            self.assertEqual(modernised(old, unchanged), new)

    @given(SCHEMAS, VALUES)
    def test_same_judgement(self, schema: Any, value: Any) -> None:
        """Whatever draft 4 accepts or refuses, so does the converted schema under 2020-12."""
        converted = modernised(schema, unchanged)
        Draft202012Validator.check_schema(converted)

        self.assertEqual(
            Draft202012Validator(converted).is_valid(value),
            Draft4Validator(schema).is_valid(value),
        )


class OurSchemasTests(SynchronousTestCase):
    """The schemas of the API."""

    def test_every_definition(self) -> None:
        """All of them, by the names that the code uses, and nothing of draft 4 is left."""
        components = component_schemas()
        names = {
            f"{name}.{definition}"
            for name in FILES
            for definition in read_schema(f"{name}.json")["definitions"]
        }

        self.assertEqual(set(components), names)
        for schema in components.values():
            Draft202012Validator.check_schema(schema)
            self.assertNotIn("#/definitions/", str(schema))

    def test_same_judgement(self) -> None:
        """Good and bad bodies are judged alike by the API and by its document."""
        inlined = Checker(document())._inlined
        bodies: dict[str, list[Any]] = {
            "group.new_group": [
                world.a_group(),
                world.a_group(groupConfiguration=world.a_config(minEntities=-1)),
                world.a_group(launchConfiguration={"type": "launch_server"}),
                world.a_group(surprise=1),
            ],
            "launch.launch": [
                world.a_launch(),
                world.a_launch(draining_timeout=29),
                world.a_launch(world.a_server(imageRef="")),
                world.a_launch(world.a_server(imageRef="", block_device_mapping=[])),
                world.a_launch(loadBalancers=[{"loadBalancerId": 1, "port": 2}]),
                world.a_launch(loadBalancers=[{"loadBalancerId": 1}]),
                world.a_launch(loadBalancers=2 * [{"loadBalancerId": 1, "port": 2}]),
            ],
            "policy.policy": [
                world.a_policy(),
                world.a_schedule(),
                world.a_policy(change=0),
                world.a_policy(changePercent=1),
                world.a_policy(type="schedule"),
                world.a_policy(name=" "),
            ],
            "webhook.webhook": [
                {"name": "w", "metadata": {}},
                {"name": "w"},
                {"name": "w", "metadata": {"a\n": "b"}},
                {"name": "w", "metadata": {257 * "a": "b"}},
            ],
        }
        judge: Callable[[str, Any], None] = world.SCHEMAS.check
        components = component_schemas()
        for name, found in bodies.items():
            verdicts = {self.judged(judge, name, body) for body in found}
            validator = Draft202012Validator(inlined(components[name]))

            self.assertEqual(verdicts, {True, False}, f"{name} needs good and bad bodies")
            for body in found:
                self.assertEqual(validator.is_valid(body), self.judged(judge, name, body), body)

    def test_finer(self) -> None:
        """What the code always refuses, with words of its own, the document does not offer."""
        inlined = Checker(document())._inlined
        components = component_schemas()
        monitoring = {"check": 1, "alarm_criteria": 2}
        rows: list[tuple[str, Any]] = [
            ("group.config", world.a_config(maxEntities=None)),
            ("policy.policy", world.a_policy(type="cloud_monitoring", args=monitoring)),
        ]
        for name, body in rows:
            world.SCHEMAS.check(name, body)

            self.assertFalse(Draft202012Validator(inlined(components[name])).is_valid(body))

    def judged(self, judge: Callable[[str, Any], None], name: str, body: Any) -> bool:
        """Return whether the API takes a body."""
        try:
            judge(name, body)
        except ValidationError:
            return False
        return True
