"""
What rest-api.md 1.8 grants to whom, operation by operation (1.1), and nothing of the code.

The table is written from the text: an operation is for *anybody* (capability URLs), for *observers*
and everybody above them, or for *owners*. Ours by extension: a group's history is for observers,
the secret that signs its messages is for owners, as webhooks are.
"""

from collections.abc import Iterator
from enum import Enum, auto
from typing import Any

from attrs import evolve, frozen


class For(Enum):
    """Whom an operation is for."""

    ANYBODY = auto()
    OBSERVERS = auto()
    OWNERS = auto()


class Standing(Enum):
    """What a caller is to the tenant in the path."""

    OWNER = auto()
    """Full access."""
    OBSERVER = auto()
    """Read access."""
    NOBODY = auto()
    """A good token that gives no right here."""
    UNKNOWN = auto()
    """No token, or none that is good."""


@frozen
class Operation:
    """
    A method on a path.

    :ivar row: where rest-api.md 1.1 has it, and what it is.
    :ivar path: ``{t}`` the tenant, ``{g}``, ``{p}``, ``{w}``, ``{s}`` ids, ``{hash}`` a capability.
    :ivar success: the status for a caller who may.
    """

    row: str
    method: str
    path: str
    success: int
    access: For
    body: Any = None


@frozen
class Caller:
    """
    Somebody.

    :ivar roles: on the project, by their names at identity.
    :ivar project: the name of the project the token is for; empty for a token without scope.
    """

    name: str
    standing: Standing
    roles: tuple[str, ...] = ()
    project: str = "demo"


CROSS_TENANT = "cloud-operator"
"""The role of those who may do everything everywhere, as these tests configure it."""

CALLERS = (
    Caller("owner", Standing.OWNER, ("identity:user-admin",)),
    Caller("admin", Standing.OWNER, ("admin",)),
    Caller("autoscale admin", Standing.OWNER, ("autoscale:admin",)),
    Caller("most permissive", Standing.OWNER, ("observer", "nova:observer", "autoscale:admin")),
    Caller("operator", Standing.OWNER, (CROSS_TENANT,), "other"),
    Caller("observer", Standing.OBSERVER, ("observer",)),
    Caller("autoscale observer", Standing.OBSERVER, ("autoscale:observer",)),
    Caller("compute admin", Standing.OBSERVER, ("observer", "compute:admin", "nova:admin")),
    Caller("no role", Standing.NOBODY, ("member", "creator", "compute:admin", "lbaas:admin")),
    Caller("other owner", Standing.NOBODY, ("identity:user-admin", "autoscale:admin"), "other"),
    Caller("other admin", Standing.NOBODY, ("admin",), "other"),
    Caller("other observer", Standing.NOBODY, ("observer",), "other"),
    Caller("unscoped", Standing.NOBODY, ("autoscale:admin",), ""),
)
"""Callers with good tokens; those without are made by the tests."""

CONFIG = {"name": "web", "cooldown": 0, "minEntities": 1, "maxEntities": 9, "metadata": {}}
LAUNCH = {
    "type": "launch_server",
    "args": {"server": {"flavorRef": "1", "imageRef": "image"}},
}
POLICY = {"name": "grow", "type": "webhook", "cooldown": 0, "change": 1}
WEBHOOK = {"name": "pager", "metadata": {}}

GROUPS = "/v1.0/{t}/groups"
GROUP = f"{GROUPS}/{{g}}"
POLICY_PATH = f"{GROUP}/policies/{{p}}"
WEBHOOK_PATH = f"{POLICY_PATH}/webhooks/{{w}}"


def _operations() -> Iterator[Operation]:
    observers, owners = For.OBSERVERS, For.OWNERS
    new_group = {"groupConfiguration": CONFIG, "launchConfiguration": LAUNCH}
    yield Operation("1 list groups", "GET", GROUPS, 200, observers)
    yield Operation("1 create group", "POST", GROUPS, 201, owners, new_group)
    yield Operation("2 show group", "GET", GROUP, 200, observers)
    yield Operation("2 show group with webhooks", "GET", f"{GROUP}?webhooks=tRuE", 200, owners)
    yield Operation("2 delete group", "DELETE", f"{GROUP}?force=true", 204, owners)
    yield Operation("3 show state", "GET", f"{GROUP}/state", 200, observers)
    yield Operation("4 show config", "GET", f"{GROUP}/config", 200, observers)
    yield Operation("4 replace config", "PUT", f"{GROUP}/config", 204, owners, CONFIG)
    yield Operation("5 show launch config", "GET", f"{GROUP}/launch", 200, observers)
    yield Operation("5 replace launch config", "PUT", f"{GROUP}/launch", 204, owners, LAUNCH)
    yield Operation("6 pause", "POST", f"{GROUP}/pause", 204, owners)
    yield Operation("7 resume", "POST", f"{GROUP}/resume", 204, owners)
    yield Operation("8 converge", "POST", f"{GROUP}/converge", 204, owners)
    yield Operation("9 list servers", "GET", f"{GROUP}/servers", 501, observers)
    yield Operation("10 show server", "GET", f"{GROUP}/servers/{{s}}", 501, observers)
    yield Operation("10 delete server", "DELETE", f"{GROUP}/servers/{{s}}", 202, owners)
    yield Operation("11 list policies", "GET", f"{GROUP}/policies", 200, observers)
    yield Operation("11 create policies", "POST", f"{GROUP}/policies", 201, owners, [POLICY])
    yield Operation("12 show policy", "GET", POLICY_PATH, 200, observers)
    yield Operation("12 replace policy", "PUT", POLICY_PATH, 204, owners, POLICY)
    yield Operation("12 delete policy", "DELETE", POLICY_PATH, 204, owners)
    yield Operation("13 execute policy", "POST", f"{POLICY_PATH}/execute", 202, owners)
    yield Operation("14 list webhooks", "GET", f"{POLICY_PATH}/webhooks", 200, owners)
    yield Operation("14 create webhooks", "POST", f"{POLICY_PATH}/webhooks", 201, owners, [WEBHOOK])
    yield Operation("15 show webhook", "GET", WEBHOOK_PATH, 200, owners)
    yield Operation("15 replace webhook", "PUT", WEBHOOK_PATH, 204, owners, WEBHOOK)
    yield Operation("15 delete webhook", "DELETE", WEBHOOK_PATH, 204, owners)
    yield Operation("16 execute capability", "POST", "/v1.0/execute/1/{hash}", 202, For.ANYBODY)
    yield Operation("17 limits", "GET", "/v1.0/{t}/limits", 200, observers)
    yield Operation("ours: activities", "GET", f"{GROUP}/activities", 200, observers)
    yield Operation("ours: notify secret", "GET", f"{GROUP}/notify-secret", 200, owners)


def _with_heads(operations: Iterator[Operation]) -> Iterator[Operation]:
    for operation in operations:
        yield operation
        if operation.method == "GET":
            yield evolve(operation, row=f"{operation.row} (HEAD)", method="HEAD")


OPERATIONS = tuple(_with_heads(_operations()))
"""Every method of every route of a tenant; HEAD is allowed wherever GET is (1.2)."""


def expected(operation: Operation, standing: Standing) -> str:
    """Return the status and the type of error of a cell."""
    if operation.access is For.ANYBODY or standing is Standing.OWNER:
        return result_of(operation)
    if standing is Standing.UNKNOWN:
        return "401 InvalidCredentials"
    if standing is Standing.OBSERVER and operation.access is For.OBSERVERS:
        return result_of(operation)
    return "403 Forbidden"


def result_of(operation: Operation) -> str:
    """Return what those get who may."""
    return "501 NotImplementedError" if operation.success == 501 else str(operation.success)
