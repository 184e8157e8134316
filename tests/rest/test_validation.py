"""Bounds of groups (rest-api.md 4.1 and 4.8), and the schema files themselves."""

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from twisted.trial.unittest import SynchronousTestCase

from otter.rest.validation import FILES, read_schema
from tests.rest.tables import (
    LONG,
    NO_SERVICE_NET,
    OK,
    TableCase,
    cloud,
    outcome,
    with_balancers,
    with_server,
)
from tests.rest.world import a_config, a_group, a_launch, a_policy


class ConfigTests(TableCase):
    """rest-api.md 4.1 and 4.8."""

    def test_config(self) -> None:
        """Every field of a PUT of a config."""
        blank = "needs at least one character that is not blank"
        keys = "metadata: keys are at most 256 characters long and have no line break"
        self.check(
            "config",
            {
                "4.1/plain": (a_config(), OK),
                "4.1/bounds": (a_config(cooldown=86400, minEntities=1000, maxEntities=1000), OK),
                "4.1/name 256": (a_config(name="é" * 256), OK),
                "4.1/name blanks kept": (a_config(name=" x "), OK),
                "4.1/name empty": (a_config(name=""), f"name: {blank}"),
                "4.1/name blank": (a_config(name=" \t\n\u3000"), f"name: {blank}"),
                "4.1/name long": (a_config(name=LONG), "name: must have at most 256 characters"),
                "4.1/name null": (a_config(name=None), "name: must be of type string"),
                "4.1/cooldown high": (
                    a_config(cooldown=86401),
                    "cooldown: 86401 is more than the maximum of 86400",
                ),
                "4.1/cooldown low": (
                    a_config(cooldown=-1),
                    "cooldown: -1 is less than the minimum of 0",
                ),
                "4.1/cooldown 1.0": (
                    a_config(cooldown=Decimal("1.0")),
                    "cooldown: must be of type integer",
                ),
                "4.1/cooldown text": (
                    a_config(cooldown="-0.08"),
                    "cooldown: must be of type integer",
                ),
                "4.1/cooldown true": (
                    a_config(cooldown=True),
                    "cooldown: must be of type integer",
                ),
                "4.1/cooldown huge": (
                    a_config(cooldown=10**900),
                    f"cooldown: 1{'0' * 36}... is more than the maximum of 86400",
                ),
                "4.1/min high": (
                    a_config(minEntities=1001),
                    "minEntities: 1001 is more than the maximum of 1000",
                ),
                "4.1/min text": (
                    a_config(minEntities="-100"),
                    "minEntities: must be of type integer",
                ),
                "4.1/max high": (
                    a_config(maxEntities=1001),
                    "maxEntities: 1001 is more than the maximum of 1000",
                ),
                "4.1/max text": (
                    a_config(maxEntities="-0.01"),
                    "maxEntities: must be of type integer or null",
                ),
                "4.1/min 22 > max 2": (
                    a_config(minEntities=22, maxEntities=2),
                    "InvalidMinEntities minEntities 22 is more than maxEntities 2",
                ),
                "4.1/max null": (
                    a_config(maxEntities=None),
                    "InvalidMinEntities maxEntities must not be null",
                ),
                "4.1/unknown": (a_config(id="x"), "body: id is not known here"),
                "4.1/not an object": ([], "body: must be of type object"),
                "4.8/bounds": (a_config(metadata={"k" * 256: "v" * 256, "": ""}), OK),
                "4.8/key long": (a_config(metadata={LONG: ""}), keys),
                "4.8/key line": (a_config(metadata={"a\n": ""}), keys),
                "4.8/key two lines": (a_config(metadata={"a\nb": ""}), keys),
                "4.8/value long": (
                    a_config(metadata={"k": LONG}),
                    "metadata.k: must have at most 256 characters",
                ),
                "4.8/value number": (
                    a_config(metadata={"k": 1}),
                    "metadata.k: must be of type string",
                ),
                "4.8/nested": (
                    a_config(metadata={"k": {}}),
                    "metadata.k: must be of type string",
                ),
                "4.8/null": (a_config(metadata=None), "metadata: must be of type object"),
                "4.8/array": (a_config(metadata=[]), "metadata: must be of type object"),
                "4.8/text": (a_config(metadata="{}"), "metadata: must be of type object"),
            },
        )

    def test_group(self) -> None:
        """The parts of a POST of a group are named by their paths."""
        self.check(
            "group",
            {
                "3.3/plain": (a_group(scalingPolicies=[]), OK),
                "3.3/no config": (
                    {"launchConfiguration": a_launch()},
                    "body: groupConfiguration is required",
                ),
                "3.3/no launch": (
                    {"groupConfiguration": a_config()},
                    "body: launchConfiguration is required",
                ),
                "3.3/unknown": (a_group(paused=True), "body: paused is not known here"),
                "3.3/policies null": (
                    a_group(scalingPolicies=None),
                    "scalingPolicies: must be of type array",
                ),
                "3.3/101 policies": (
                    a_group(scalingPolicies=[a_policy()] * 101),
                    "scalingPolicies: must have at most 100 items",
                ),
                "3.3/policy": (
                    a_group(scalingPolicies=[a_policy(), a_policy(change=0)]),
                    "scalingPolicies[1].change: must not be 0",
                ),
                "3.3/past at": (
                    a_group(
                        scalingPolicies=[
                            a_policy(type="schedule", args={"at": "2001-01-01T00:00:00Z"})
                        ]
                    ),
                    "scalingPolicies[0].args.at must be in the future",
                ),
                "4.1/min high": (
                    a_group(groupConfiguration=a_config(minEntities=1001)),
                    "groupConfiguration.minEntities: 1001 is more than the maximum of 1000",
                ),
                "4.3/flavor": (
                    a_group(launchConfiguration=with_server(flavorRef=8)),
                    "launchConfiguration.args.server.flavorRef: must be of type string",
                ),
                "4.4/cloud": (
                    a_group(launchConfiguration=with_balancers(cloud(), networks=[])),
                    f"launchConfiguration.{NO_SERVICE_NET}",
                ),
            },
        )


class SchemaTests(SynchronousTestCase):
    """The schema files themselves."""

    def test_files_are_draft_4(self) -> None:
        """Every definition is a schema; others read these files too."""
        for name in FILES:
            schema = read_schema(f"{name}.json")
            self.assertEqual(schema["$schema"], "http://json-schema.org/draft-04/schema#")
            for definition in schema["definitions"].values():
                Draft4Validator.check_schema(definition)

    def test_references_stand_alone(self) -> None:
        """In draft 4 whatever stands beside a reference is ignored, so nothing may."""
        pending: list[Any] = [read_schema(f"{name}.json") for name in FILES]
        while pending:
            part = pending.pop()
            if isinstance(part, dict):
                self.assertTrue("$ref" not in part or len(part) == 1, part)
                pending.extend(part.values())
            elif isinstance(part, list):
                pending.extend(part)

    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.sampled_from(["group", "config", "launch", "policies", "policy", "webhooks", "webhook"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "groupConfiguration",
                            "launchConfiguration",
                            "scalingPolicies",
                            "name",
                            "cooldown",
                            "minEntities",
                            "maxEntities",
                            "metadata",
                            "type",
                            "args",
                            "server",
                            "loadBalancers",
                            "stack",
                            "change",
                            "at",
                            "cron",
                        ]
                    ),
                    inner,
                )
            ),
            max_leaves=12,
        ),
    )
    def test_any_document(self, reader: str, document: object) -> None:
        """Every refusal has words, and none of them repeats the document."""
        words = outcome(reader, document)

        self.assertTrue(words)
        self.assertLess(len(words), 400)
        self.assertNotIn("does not have the right form", words)
        self.assertNotIn("breaks the rule", words)
