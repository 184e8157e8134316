"""
Turn request bodies into the controller's records, checking in the order of rest-api.md 1.7.

JSON, then schema, then the rules no schema can express; whoever is asked next knows only records.
What a body is called does not matter: every one is read as JSON, whatever its ``Content-Type`` says
(rest-api.md 1.3 permits 415 and recommends leniency; old clients send all sorts of types).
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import frozen

from otter.controller.errors import InvalidMinEntities, ValidationError
from otter.controller.interface import NewLaunch, NewPolicy, NewWebhook
from otter.models.group import GroupConfig, LaunchType, LoadBalancerKind
from otter.models.policy import Adjustment, At, ChangeBy, ChangePercent, Cron, SetCapacity
from otter.rest.documents import read_document
from otter.rest.schedules import check_at, check_cron
from otter.rest.validation import Schemas

SERVICE_NET = "11111111-1111-1111-1111-111111111111"
DEFAULT_MAX_ENTITIES = 1000


@frozen
class NewGroup:
    """What a POST of a group asks for."""

    config: GroupConfig
    launch: NewLaunch
    policies: tuple[NewPolicy, ...]


@frozen
class Parser:
    """
    Reads bodies. Every method takes the body's bytes and raises what a bad one deserves:
    ``InvalidJsonError``, ``ValidationError`` or ``InvalidMinEntities``.
    """

    schemas: Schemas

    def _read(self, definition: str, body: bytes) -> Any:
        document = read_document(body)
        self.schemas.check(definition, document)
        return document

    def group(self, body: bytes, *, now: datetime) -> NewGroup:
        """Read the body of a POST of a group."""
        document = self._read("group.new_group", body)
        policies = _policies(document.get("scalingPolicies", []), "scalingPolicies", now)
        config = _config(document["groupConfiguration"])
        launch = _launch(document["launchConfiguration"], "launchConfiguration.")
        return NewGroup(config, launch, policies)

    def config(self, body: bytes) -> GroupConfig:
        """Read the body of a PUT of a group's config."""
        return _config(self._read("group.config", body))

    def launch(self, body: bytes) -> NewLaunch:
        """Read the body of a PUT of a group's launch config."""
        return _launch(self._read("launch.launch", body), "")

    def policies(self, body: bytes, *, now: datetime) -> tuple[NewPolicy, ...]:
        """Read the body of a POST of policies."""
        return _policies(self._read("policy.new_policies", body), "", now)

    def policy(self, body: bytes, *, now: datetime) -> NewPolicy:
        """Read the body of a PUT of a policy."""
        return _policy(self._read("policy.policy", body), "", now)

    def webhooks(self, body: bytes) -> tuple[NewWebhook, ...]:
        """Read the body of a POST of webhooks."""
        return tuple(map(_webhook, self._read("webhook.new_webhooks", body)))

    def webhook(self, body: bytes) -> NewWebhook:
        """Read the body of a PUT of a webhook."""
        return _webhook(self._read("webhook.webhook", body))


def _config(document: Mapping[str, Any]) -> GroupConfig:
    most = document.get("maxEntities", DEFAULT_MAX_ENTITIES)
    least = document["minEntities"]
    if most is None:
        raise InvalidMinEntities("maxEntities must not be null")
    if least > most:
        raise InvalidMinEntities(f"minEntities {least} is more than maxEntities {most}")
    return GroupConfig(
        name=document["name"],
        cooldown=document["cooldown"],
        min_entities=least,
        max_entities=most,
        metadata=document.get("metadata", {}),
    )


def _launch(document: Mapping[str, Any], path: str) -> NewLaunch:
    kind = LaunchType(document["type"])
    args = document["args"]
    if kind is LaunchType.SERVER:
        _check_service_net(args, path)
        args = {**args, "server": _without_null_metadata(args["server"])}
    return NewLaunch(kind, args)


def _without_null_metadata(server: Mapping[str, Any]) -> dict[str, Any]:
    """Drop ``metadata: null``, which is accepted and means nothing (rest-api.md 4.3)."""
    return {key: value for key, value in server.items() if (key, value) != ("metadata", None)}


def _check_service_net(args: Mapping[str, Any], path: str) -> None:
    """
    Insist on ServiceNet where a cloud load balancer has to reach the servers.

    :raises ValidationError: the networks named leave it out.
    """
    cloud = LoadBalancerKind.CLOUD
    if all(item.get("type", cloud) != cloud for item in args.get("loadBalancers", [])):
        return
    networks = args["server"].get("networks")
    if networks is None:
        return
    if not isinstance(networks, list) or {"uuid": SERVICE_NET} not in networks:
        raise ValidationError(
            f"{path}args.server.networks: must contain ServiceNet ({SERVICE_NET}) when servers go "
            "on a cloud load balancer"
        )


def _policies(documents: list[Any], path: str, now: datetime) -> tuple[NewPolicy, ...]:
    return tuple(
        _policy(document, f"{path}[{number}].", now) for number, document in enumerate(documents)
    )


def _policy(document: Mapping[str, Any], path: str, now: datetime) -> NewPolicy:
    if document["type"] == "cloud_monitoring":
        raise ValidationError(f"{path}type: cloud_monitoring is not offered here")
    try:
        schedule = _schedule(document.get("args", {}), now)
    except ValidationError as error:
        raise ValidationError(f"{path}args.{error}") from error
    return NewPolicy(
        name=document["name"],
        cooldown=Decimal(document["cooldown"]),
        adjustment=_adjustment(document),
        schedule=schedule,
    )


def _adjustment(document: Mapping[str, Any]) -> Adjustment:
    if "change" in document:
        return ChangeBy(document["change"])
    if "changePercent" in document:
        return ChangePercent(Decimal(document["changePercent"]))
    return SetCapacity(document["desiredCapacity"])


def _schedule(args: Mapping[str, Any], now: datetime) -> At | Cron | None:
    if "at" in args:
        check_at(args["at"], now=now)
        return At(args["at"])
    if "cron" in args:
        check_cron(args["cron"])
        return Cron(args["cron"])
    return None


def _webhook(document: Mapping[str, Any]) -> NewWebhook:
    return NewWebhook(document["name"], document.get("metadata", {}))
