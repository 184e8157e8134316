"""Take the steps of a sequence through the REST API, as a client without mercy would."""

from collections.abc import Mapping
from typing import Any

import simplejson
from twisted.internet.task import Clock

from otter.models.ids import GroupId
from otter.rest.app import make_site
from otter.rest.config import Rates, RestConfig
from tests.properties.performing import BEGIN, NOBODY, TENANT, Seen, finished, make_controller
from tests.properties.reference import Refusal
from tests.properties.steps import (
    TICKS_PER_SECOND,
    AddPolicy,
    Converge,
    DeletePolicy,
    Execute,
    HitWebhook,
    Pause,
    Resume,
    SetConfig,
    SetPolicy,
    Step,
    Suspend,
    Wait,
)
from tests.rest.wire import Connection, Reply, parse_reply, request_bytes

BASE = "https://autoscale.example.com"
GROUPS = f"/v1.0/{TENANT}/groups"
LAUNCH = {
    "type": "launch_server",
    "args": {"server": {"flavorRef": "3", "imageRef": "i"}},
}
STATUS = {
    "NoSuchPolicyError": 404,
    "CannotExecutePolicyError": 403,
    "GroupPausedError": 403,
    "TenantSuspendedError": 403,
    "InvalidMinEntities": 400,
}


def policy_text(step: AddPolicy | SetPolicy) -> str:
    """Return a policy as JSON with its numbers exactly as they are written in the step."""
    numbers = f'"cooldown": {step.cooldown}, "{step.kind}": {step.amount}'
    return f'{{"name": "p", "type": "webhook", {numbers}}}'


def config_document(step: SetConfig) -> Mapping[str, object]:
    """Return a config as JSON."""
    bounds = {"minEntities": step.low, "maxEntities": step.high}
    return {"name": "web", "cooldown": step.cooldown, "metadata": {}, **bounds}


class SitePerformer:
    """Takes steps on a site; anybody is let in, suspending is the operator's."""

    def __init__(self, begin: SetConfig) -> None:
        self.clock = Clock()
        self.clock.rightNow = BEGIN.timestamp()
        self._controller = make_controller(self.clock)
        config = RestConfig(BASE, rates=Rates(enabled=False))
        self._site = make_site(config, self._controller, None, {}, self.clock)
        body = {"groupConfiguration": config_document(begin), "launchConfiguration": LAUNCH}
        made = self._ask("POST", GROUPS, simplejson.dumps(body))
        self._group_id = GroupId(made.document["group"]["id"])
        self._group = f"{GROUPS}/{self._group_id}"
        self._policies: list[tuple[str, str]] = []

    def _ask(self, method: str, path: str, body: str | None = None) -> Reply:
        connection = Connection(self._site)
        raw = None if body is None else body.encode()
        connection.send(request_bytes(method, path, raw))
        return parse_reply(connection.received(), method)

    def _call(self, success: int, method: str, path: str, body: str | None = None) -> Refusal:
        """Return the type of the error, None for the one status that says success."""
        reply = self._ask(method, path, body)
        if reply.status == success:
            return None
        refusal: str = reply.document["error"]["type"]
        assert reply.status == STATUS.get(refusal), reply
        return refusal

    def take(self, step: Step) -> Refusal:
        """See ``Performer``."""
        match step:
            case Wait(ticks):
                self.clock.advance(ticks / TICKS_PER_SECOND)
            case Suspend(flag):
                group = (TENANT, self._group_id)
                suspending = self._controller.set_suspended(*group, suspended=flag, actor="o")
                finished(suspending)
            case AddPolicy():
                self._add(policy_text(step))
            case SetConfig():
                body = simplejson.dumps(config_document(step))
                return self._call(204, "PUT", f"{self._group}/config", body)
            case Pause() | Resume() | Converge():
                return self._call(204, "POST", f"{self._group}/{type(step).__name__.lower()}")
            case _:
                return self._take_on_policy(step)
        return None

    def _take_on_policy(self, step: SetPolicy | DeletePolicy | Execute | HitWebhook) -> Refusal:
        policy, capability = self._pick(step.which)
        match step:
            case SetPolicy():
                return self._call(204, "PUT", policy, policy_text(step))
            case DeletePolicy():
                return self._call(204, "DELETE", policy)
            case Execute():
                return self._call(202, "POST", f"{policy}/execute")
            case HitWebhook():
                return self._call(202, "POST", capability)

    def _add(self, policy: str) -> None:
        policies = f"{self._group}/policies"
        made = self._ask("POST", policies, f"[{policy}]").document["policies"][0]
        path = f"{policies}/{made['id']}"
        hook = self._ask("POST", f"{path}/webhooks", '[{"name": "w"}]').document["webhooks"][0]
        links = {link["rel"]: link["href"] for link in hook["links"]}
        self._policies.append((path, links["capability"].removeprefix(BASE)))

    def _pick(self, which: int) -> tuple[str, str]:
        if self._policies:
            return self._policies[which % len(self._policies)]
        return f"{self._group}/policies/{NOBODY[0]}", f"/v1.0/execute/1/{NOBODY[1]}"

    def look(self) -> Seen:
        """See ``Performer``."""
        state: Any = self._ask("GET", f"{self._group}/state").document["group"]
        shown = self._ask("GET", f"{self._group}/config").document["groupConfiguration"]
        assert state["activeCapacity"] + state["pendingCapacity"] == state["desiredCapacity"]
        return Seen(
            state["desiredCapacity"],
            shown["minEntities"],
            shown["maxEntities"],
            shown["cooldown"],
            state["paused"],
        )
