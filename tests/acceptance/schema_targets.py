"""What schemathesis is let loose on: groups, policies and webhooks that are there, by operation."""

import json
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, frozen

from tests.acceptance.world import Tenant

HOOKS = "tests.acceptance.schema_hooks"
PLACES = ("body.launchConfiguration.args.server", "body.args.server")
"""Where in bodies a server is described."""


@frozen
class Target:
    """Ids for the parameters in the path of an operation."""

    group: str
    policy: str = "none"
    webhook: str = "none"
    server: str = "none"


async def make_targets(tenant: Tenant) -> Mapping[str, Target]:
    """
    Build what there has to be; return the targets by the name of the operation, "" for all others.

    The same for all would do little: once a group is deleted, or paused, or at its maximum, there
    is nothing more to see. So what spoils something has something of its own.
    """
    group = await tenant.create_group(0, 10)
    policy, doomed = [await tenant.add_policy(group, change=1) for _ in range(2)]
    path = f"/groups/{group}/policies/{policy}/webhooks"
    made = (await tenant.api.expect(201, "POST", path, [{"name": "w"}] * 2))["webhooks"]
    members = await tenant.create_group(1, 1)
    [server] = await tenant.settled(members, 1)
    growing = await tenant.create_group(0, 1000)
    common = Target(group, policy, made[0]["id"])
    return {
        "": common,
        "deleteGroup": Target(await tenant.create_group()),
        "deletePolicy": evolve(common, policy=doomed),
        "deleteWebhook": evolve(common, webhook=made[1]["id"]),
        "removeServer": Target(members, server=server),
        "executePolicy": Target(growing, await tenant.add_policy(growing, change=1)),
        "pauseGroup": Target(await tenant.create_group()),
    }


def configuration(
    tenant: str,
    image: str,
    flavor: str,
    targets: Mapping[str, Target],
    *,
    faults: Sequence[int] = (),
) -> str:
    """
    Return a configuration file.

    :param targets: of operations; without any, ids in paths are made up or come from answers.
    :param faults: statuses from 500 on that are no failures in this run.
    """
    return "\n".join(_lines(tenant, image, flavor, targets, faults)) + "\n"


def _lines(
    tenant: str, image: str, flavor: str, targets: Mapping[str, Target], faults: Sequence[int]
) -> Iterator[str]:
    yield f"hooks = {json.dumps(HOOKS)}"
    yield "workers = 1"  # two threads that parse Python trip over a bug of CPython 3.11
    yield '[generation]\ndatabase = "none"'
    yield f"[dictionaries]\nimages = {{values = [{json.dumps(image)}]}}"
    yield f"flavors = {{values = [{json.dumps(flavor)}]}}"
    # 501 is what the contract answers where servers are listed or shown.
    fine = json.dumps(["2xx", "3xx", "4xx", 501, *faults])
    yield f"[checks]\nnot_a_server_error.expected-statuses = {fine}"
    yield f'[parameters]\n"path.tenant" = {json.dumps(tenant)}'
    for place in PLACES:
        for field, name in (("imageRef", "images"), ("flavorRef", "flavors")):
            yield f'"{place}.{field}" = {{dictionary = "{name}", probability = 0.9}}'
    if targets:
        yield from _parameters(targets[""])
    for name, target in targets.items():
        if name:
            yield f"[[operations]]\ninclude-operation-id = {json.dumps(name)}"
            yield "[operations.parameters]"
            yield from _parameters(target)


def _parameters(target: Target) -> Iterator[str]:
    for name in ("group", "policy", "webhook", "server"):
        yield f'"path.{name}" = {json.dumps(getattr(target, name))}'
