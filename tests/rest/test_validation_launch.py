"""Bounds of launch configurations (rest-api.md 4.2 to 4.5, and our own ``notify``)."""

from decimal import Decimal
from typing import Any

from otter.rest.parsing import SERVICE_NET
from tests.rest.tables import (
    NO_SERVICE_NET,
    OK,
    TableCase,
    cloud,
    pool,
    with_balancers,
    with_server,
)
from tests.rest.world import a_launch


class LaunchTests(TableCase):
    """rest-api.md 4.2 to 4.5."""

    def test_types(self) -> None:
        """The wrapper, and the other type of launch configuration."""
        stack = {"stack": {"template": "t"}}
        one = "args.stack: needs exactly one of template and template_url"
        choice = "type: must be one of launch_server, launch_stack"

        def with_stack(**fields: object) -> dict[str, Any]:
            return {"type": "launch_stack", "args": {"stack": fields}}

        every = with_stack(
            template={},
            disable_rollback=True,
            environment="e",
            files={},
            parameters={"a": [1]},
            timeout_mins=Decimal("1.5"),
        )
        self.check(
            "launch",
            {
                "4.2/type case": ({**a_launch(), "type": "Launch_Server"}, choice),
                "4.2/no type": ({"args": a_launch()["args"]}, "body: type is required"),
                "4.2/no args": ({"type": "launch_server"}, "body: args is required"),
                "4.2/args text": (
                    {"type": "launch_server", "args": "x"},
                    "args: must be of type object",
                ),
                "4.2/unknown": ({**a_launch(), "x": 1}, "body: x is not known here"),
                "4.2/mixed": (
                    {"type": "launch_server", "args": stack},
                    "args: server is required",
                ),
                "4.5/plain": ({"type": "launch_stack", "args": stack}, OK),
                "4.5/every field": (every, OK),
                "4.5/url": (with_stack(template_url="u"), OK),
                "4.5/both": (with_stack(template="t", template_url="u"), one),
                "4.5/neither": (with_stack(), one),
                "4.5/no stack": (
                    {"type": "launch_stack", "args": {}},
                    "args: stack is required",
                ),
                "4.5/template number": (
                    with_stack(template=1),
                    "args.stack.template: must be of type string or object",
                ),
                "4.5/name": (
                    with_stack(template="t", stack_name="n"),
                    "args.stack: stack_name is not known here",
                ),
                "4.5/balancers": (
                    {"type": "launch_stack", "args": {**stack, "loadBalancers": []}},
                    "args: loadBalancers is not known here",
                ),
            },
        )

    def test_server(self) -> None:
        """Flavor, metadata and personality."""
        blanks = "must not be empty or contain blanks"
        keys = (
            "args.server.metadata: keys are 1 to 255 of the characters A-Z a-z 0-9 _ : . - and "
            "blank"
        )
        file = {"path": "/etc/motd", "contents": "aGk=", "more": 1}
        self.check(
            "launch",
            {
                "4.3/opaque": (with_server(name=7, **{"OS-DCF:diskConfig": [None]}), OK),
                "4.3/no flavor": (
                    a_launch({"imageRef": "i"}),
                    "args.server: flavorRef is required",
                ),
                "4.3/flavor number": (
                    with_server(flavorRef=3),
                    "args.server.flavorRef: must be of type string",
                ),
                "4.3/flavor empty": (
                    with_server(flavorRef=""),
                    f"args.server.flavorRef: {blanks}",
                ),
                "4.3/flavor blank": (
                    with_server(flavorRef="a b"),
                    f"args.server.flavorRef: {blanks}",
                ),
                "4.3/flavor line": (
                    with_server(flavorRef="a\n"),
                    f"args.server.flavorRef: {blanks}",
                ),
                "4.3/metadata": (with_server(metadata={"a_:. -9" + "k" * 248: "v" * 255}), OK),
                "4.3/metadata null": (with_server(metadata=None), OK),
                "4.3/metadata array": (
                    with_server(metadata=[]),
                    "args.server.metadata: must be of type object or null",
                ),
                "4.3/metadata key": (with_server(metadata={"é": ""}), keys),
                "4.3/metadata no key": (with_server(metadata={"": ""}), keys),
                "4.3/metadata long key": (with_server(metadata={"k" * 256: ""}), keys),
                "4.3/metadata key line": (with_server(metadata={"k\n": ""}), keys),
                "4.3/metadata value": (
                    with_server(metadata={"k": 1}),
                    "args.server.metadata.k: must be of type string",
                ),
                "4.3/metadata long value": (
                    with_server(metadata={"k": "v" * 256}),
                    "args.server.metadata.k: must have at most 255 characters",
                ),
                "4.3/personality": (with_server(personality=[file, file]), OK),
                "4.3/personality null": (
                    with_server(personality=None),
                    "args.server.personality: must be of type array",
                ),
                "4.3/personality item": (
                    with_server(personality=["x"]),
                    "args.server.personality[0]: must be of type object",
                ),
                "4.3/personality no path": (
                    with_server(personality=[{"contents": ""}]),
                    "args.server.personality[0]: path is required",
                ),
                "4.3/personality no contents": (
                    with_server(personality=[{"path": "p"}]),
                    "args.server.personality[0]: contents is required",
                ),
                "4.3/personality empty path": (
                    with_server(personality=[{**file, "path": ""}]),
                    "args.server.personality[0].path: must have at least 1 characters",
                ),
                "4.3/personality long path": (
                    with_server(personality=[{**file, "path": "p" * 256}]),
                    "args.server.personality[0].path: must have at most 255 characters",
                ),
                "4.3/no server": (
                    {"type": "launch_server", "args": {}},
                    "args: server is required",
                ),
                "4.3/draining bounds": (a_launch(draining_timeout=30), OK),
                "4.3/draining fraction": (a_launch(draining_timeout=Decimal("3600.0")), OK),
                "4.3/draining low": (
                    a_launch(draining_timeout=Decimal("29.9")),
                    "args.draining_timeout: 29.9 is less than the minimum of 30",
                ),
                "4.3/draining high": (
                    a_launch(draining_timeout=3601),
                    "args.draining_timeout: 3601 is more than the maximum of 3600",
                ),
                "4.3/draining true": (
                    a_launch(draining_timeout=True),
                    "args.draining_timeout: must be of type number",
                ),
                "4.3/unknown": (a_launch(x=1), "args: x is not known here"),
            },
        )

    def test_image_rule(self) -> None:
        """An image, or a mapping that stands in for it."""
        rule = (
            "args.server: imageRef must be a string without blanks; it may be absent, null or "
            "empty only with an array of objects in block_device_mapping or "
            "block_device_mapping_v2"
        )
        no_image = {"flavorRef": "3"}
        mapping: dict[str, object] = {"block_device_mapping": [{}]}
        mapping_2: dict[str, object] = {"block_device_mapping_v2": [{}]}
        self.check(
            "launch",
            {
                "4.3/image and mapping": (with_server(**mapping, **mapping_2), OK),
                "4.3/image and odd v2": (with_server(block_device_mapping_v2="x"), OK),
                "4.3/mapping": (a_launch({**no_image, **mapping}), OK),
                "4.3/mapping v2": (a_launch({**no_image, **mapping_2}), OK),
                "4.3/empty mapping": (a_launch({**no_image, "block_device_mapping": []}), OK),
                "4.3/null and mapping": (with_server(imageRef=None, **mapping), OK),
                "4.3/empty and mapping": (with_server(imageRef="", **mapping_2), OK),
                "4.3/nothing": (a_launch(no_image), rule),
                "4.3/null": (with_server(imageRef=None), rule),
                "4.3/empty": (with_server(imageRef=""), rule),
                "4.3/blank": (with_server(imageRef="  "), rule),
                "4.3/blank and mapping": (with_server(imageRef="  ", **mapping), rule),
                "4.3/number": (with_server(imageRef=1), rule),
                "4.3/inner blank": (with_server(imageRef="a b"), rule),
                "4.3/odd v2": (
                    with_server(imageRef="", block_device_mapping_v2=["x"]),
                    rule,
                ),
                "4.3/null v2": (with_server(imageRef="", block_device_mapping_v2=None), rule),
                "4.3/odd mapping": (
                    with_server(block_device_mapping={}),
                    "args.server.block_device_mapping: must be of type array",
                ),
                "4.3/odd mapping item": (
                    with_server(block_device_mapping=[1]),
                    "args.server.block_device_mapping[0]: must be of type object",
                ),
            },
        )

    def test_load_balancers(self) -> None:
        """rest-api.md 4.4."""
        rule = (
            "args.loadBalancers[0]: is neither a cloud load balancer (loadBalancerId, an integer "
            "port and optionally the type CloudLoadBalancer) nor a RackConnect pool (a string "
            "loadBalancerId and the type RackConnectV3, no port)"
        )
        bad = {
            "4.4/type case": cloud(type="cloudloadbalancer"),
            "4.4/pool case": pool(type="rackconnectv3"),
            "4.4/type empty": cloud(type=""),
            "4.4/type null": cloud(type=None),
            "4.4/type other": cloud(type="Octavia"),
            "4.4/port text": cloud(port="80"),
            "4.4/port fraction": cloud(port=Decimal("80.0")),
            "4.4/no port": cloud(port=...),
            "4.4/no id": cloud(loadBalancerId=...),
            "4.4/id blank": cloud(loadBalancerId="a b"),
            "4.4/id empty": cloud(loadBalancerId=""),
            "4.4/id fraction": cloud(loadBalancerId=Decimal("1.5")),
            "4.4/id true": cloud(loadBalancerId=True),
            "4.4/unknown": cloud(weight=1),
            "4.4/pool integer": pool(loadBalancerId=1),
            "4.4/pool port": pool(port=80),
        }
        good: dict[str, list[object]] = {
            "4.4/none": [],
            "4.4/ports": [cloud(port=port) for port in (0, -1, 65536, 10**20)],
            "4.4/kinds": [cloud(), cloud(type="CloudLoadBalancer"), pool()],
            "4.4/ids differ in type": [cloud(loadBalancerId=1), cloud(loadBalancerId="1")],
        }
        self.check("launch", {row: (with_balancers(item), rule) for row, item in bad.items()})
        self.check("launch", {row: (with_balancers(*items), OK) for row, items in good.items()})
        self.check(
            "launch",
            {
                "4.3/six": (
                    with_balancers(*(cloud(port=port) for port in range(6))),
                    "args.loadBalancers: must have at most 5 items",
                ),
                "4.3/identical": (
                    with_balancers(cloud(), cloud()),
                    "args.loadBalancers: must not have the same item twice",
                ),
                "4.3/many": (
                    with_balancers(*[cloud()] * 5000),
                    "args.loadBalancers: must have at most 5 items",
                ),
            },
        )

    def test_service_net(self) -> None:
        """A cloud load balancer reaches servers only over ServiceNet (rest-api.md 4.3)."""
        rule = NO_SERVICE_NET
        net = {"uuid": SERVICE_NET}
        good: list[object] = [None, [net], [{"uuid": "x"}, net]]
        bad: list[object] = [[], [{"uuid": "x"}], [{**net, "port": 1}], "auto", {}, [SERVICE_NET]]
        rows: dict[str, tuple[object, str]] = {
            f"4.3/{networks!r}": (with_balancers(cloud(), networks=networks), OK)
            for networks in good
        }
        rows |= {
            f"4.3/{networks!r}": (with_balancers(cloud(), networks=networks), rule)
            for networks in bad
        }
        rows |= {
            "4.3/named": (with_balancers(cloud(type="CloudLoadBalancer"), networks=[]), rule),
            "4.3/mixed": (with_balancers(pool(), cloud(), networks=[]), rule),
            "4.3/only pools": (with_balancers(pool(), networks=[]), OK),
            "4.3/none": (with_server(networks=[]), OK),
            "4.3/none given": (with_balancers(networks="odd"), OK),
        }
        self.check("launch", rows)

    def test_notify(self) -> None:
        """Our own extension: the customer's webhooks."""
        url = "args.notify[0].url: must be an http or https URL"
        longest = "https://example.com/" + "x" * 2028
        good: list[object] = [
            {"url": "https://example.com"},
            {"url": "HTTP://127.0.0.1:8080/a?b=c#d", "events": []},
            {"url": "http://[::1]:80/", "events": ["server.in_service", "server.leaving"]},
            {"url": longest, "events": ["server.gone"]},
        ]

        events = "server.in_service, server.leaving, server.gone"

        def notify(**item: object) -> dict[str, Any]:
            return a_launch(notify=[{"url": "https://example.com", **item}])

        self.check(
            "launch",
            {
                "notify/good": (a_launch(notify=good), OK),
                "notify/none": (a_launch(notify=[]), OK),
                "notify/eleven": (
                    a_launch(notify=good[:1] * 11),
                    "args.notify: must have at most 10 items",
                ),
                "notify/ftp": (notify(url="ftp://example.com"), url),
                "notify/no host": (notify(url="https:///x"), url),
                "notify/blank": (notify(url="https://example.com/a b"), url),
                "notify/line": (notify(url="https://example.com\n"), url),
                "notify/long": (
                    notify(url=longest + "x"),
                    "args.notify[0].url: must have at most 2048 characters",
                ),
                "notify/no url": (a_launch(notify=[{}]), "args.notify[0]: url is required"),
                "notify/unknown": (notify(secret="x"), "args.notify[0]: secret is not known here"),
                "notify/event": (
                    notify(events=["server.born"]),
                    f"args.notify[0].events[0]: must be one of {events}",
                ),
            },
        )
