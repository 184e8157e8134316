"""
Configuration: one TOML file, parsed once at start into frozen records; an error names the key.

Durations are numbers of seconds under keys that end in ``_seconds``. Unknown keys are errors, so
that a misspelt one is not silently ignored. A secret may be given as ``<key>_file``, the path of a
file.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from math import inf
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import attrs
from attrs import field, frozen

from otter.controller.interface import Limits
from otter.rest.config import EXECUTE_SCOPES, Bounds, Rates
from otter.supervisor.settings import SupervisorSettings
from otter.worker.settings import WorkerSettings

R = TypeVar("R")

ROLES = ("api", "supervisor", "worker")
ACTING_VERSIONS = {
    "service-user": None,
    "impersonation": "v2.0",
    "application-credential": "v3",
}
IMPERSONATION_LIFE_MIN = timedelta(minutes=1)
NEEDED = {
    "supervisor": (
        "cycles",
        "creates_in_flight",
        "confirm_limit",
        "sweep",
        "mark_poll",
        "look_first",
        "look_max",
    ),
    "worker": (
        "concurrency",
        "tenant_concurrency",
        "queue_limit",
        "creates_per_second",
        "create_burst",
        "attempts",
        "notify_attempts",
        "notify_concurrency",
        "notify_poll",
    ),
    "rates": ("remembered",),
    "bounds": tuple(attribute.name for attribute in attrs.fields(Bounds)),
}
"""Settings that must not be 0: nothing would ever be done, or one thing without end."""


class ConfigError(Exception):
    """
    The configuration cannot be used.

    :param path: the key, dotted from the top, such as ``identity.auth_url``.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


@frozen
class IdentitySettings:
    """
    Where identity is and who we are there.

    :ivar auth_url: with or without the version, with or without a slash at the end.
    :ivar user_name: our own service user; it checks other people's tokens and, unless ``acting``
        says otherwise, has a role on every tenant's project.
    :ivar password: of that user.
    :ivar user_domain: the name of its domain.
    :ivar region: of the endpoints to use; empty takes the first of any region.
    :ivar interface: which of a service's endpoints to use: public, internal or admin.
    :ivar version: ``v3`` or ``v2.0``.
    :ivar project: the id of a project on which the user has a role that lets it check other
        people's tokens; empty asks with a token without scope.
    :ivar acting: how we come by a token for a tenant: ``service-user`` (our password, scoped to the
        project), ``impersonation`` (Rackspace, v2.0) or ``application-credential`` (v3).
    :ivar impersonated_user: for ``impersonation``, the name of the user to be, in which
        ``{tenant}`` stands for the tenant; empty looks the tenant's admin user up.
    :ivar impersonation_life: for ``impersonation``, for how long a token is asked for.
    :ivar application_credentials_file: for ``application-credential``, the path of a TOML file, or
        JSON if it is named so, of project ids with ``id`` and ``secret`` each; changes are noticed.
    """

    auth_url: str
    user_name: str
    password: str = field(repr=False)
    version: str = "v3"
    user_domain: str = "Default"
    project: str = ""
    region: str = "RegionOne"
    interface: str = "public"
    acting: str = "service-user"
    impersonated_user: str = ""
    impersonation_life: timedelta = timedelta(hours=3)
    application_credentials_file: str = ""


@frozen
class ApiSettings:
    """
    The public API.

    :ivar base_url: the root that links in answers start with, as clients reach us.
    :ivar listen: a Twisted endpoint description.
    :ivar full_roles: roles that may do everything on the token's own project.
    :ivar read_roles: roles that may look at everything but secrets.
    :ivar cross_tenant_roles: roles that may do everything on every project; ``admin`` is not one by
        default, because on many clouds it is what owners have on their own project.
    :ivar authenticate: ask identity whose token it is; off only for development.
    :ivar token_staleness: a token revoked at identity may be accepted this much longer.
    :ivar token_refusal: a token that identity refused is refused this long without asking again.
    """

    base_url: str = "http://127.0.0.1:8901"
    listen: str = "tcp:8901:interface=127.0.0.1"
    authenticate: bool = True
    token_staleness: timedelta = timedelta(seconds=60)
    token_refusal: timedelta = timedelta(seconds=5)
    full_roles: tuple[str, ...] = ("admin", "identity:user-admin", "autoscale:admin")
    read_roles: tuple[str, ...] = ("observer", "autoscale:observer")
    cross_tenant_roles: tuple[str, ...] = ("cloud_admin",)


@frozen
class OperatorSettings:
    """
    What operators reach: health, metrics, suspending tenants. Nobody is asked for a token there.

    :ivar listen: a Twisted endpoint description of an address that only operators reach; empty
        turns all of it off.
    :ivar census: how often all groups, policies and webhooks are counted.
    """

    listen: str = "tcp:8902:interface=127.0.0.1"
    census: timedelta = timedelta(seconds=60)


@frozen
class CloudSettings:
    """
    How calls to the cloud are made.

    :ivar timeout: for a whole exchange, body included, and for checking a whole launch config.
    :ivar tokens: tenants whose tokens are kept.
    :ivar launch_staleness: an image or flavor that a launch config names may be gone this long.
    """

    timeout: timedelta = timedelta(seconds=30)
    tokens: int = 10_000
    launch_staleness: timedelta = timedelta(seconds=60)


@frozen
class NotifySettings:
    """
    Messages to customers' own webhooks.

    :ivar allow_private: let them go to loopback and private addresses too.
    :ivar timeout: for one delivery.
    """

    allow_private: bool = False
    timeout: timedelta = timedelta(seconds=10)


@frozen
class StoreSettings:
    """
    Where records are kept.

    :ivar kind: ``sqlite``, or ``memory`` for trying out.
    :ivar path: of the database file.
    """

    kind: str = "sqlite"
    path: str = "otter.sqlite"


@frozen
class Config:
    """
    Everything Otter is told at start.

    :ivar roles: what this process does: ``api``, ``supervisor``, ``worker``.
    """

    identity: IdentitySettings
    api: ApiSettings = ApiSettings()
    operator: OperatorSettings = OperatorSettings()
    rates: Rates = field(factory=Rates)
    bounds: Bounds = field(factory=Bounds)
    cloud: CloudSettings = CloudSettings()
    notify: NotifySettings = NotifySettings()
    store: StoreSettings = StoreSettings()
    limits: Limits = field(factory=Limits)
    supervisor: SupervisorSettings = field(factory=SupervisorSettings)
    worker: WorkerSettings = field(factory=WorkerSettings)
    roles: tuple[str, ...] = ROLES


def load(path: Path) -> Config:
    """
    Read a configuration file.

    :raises ConfigError: it cannot be read, or something in it is wrong.
    """
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise ConfigError(str(path), error.strerror or "cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"not TOML: {error}") from None
    return parse(document)


def parse(document: Mapping[str, Any]) -> Config:
    """
    Return the configuration a parsed TOML document describes.

    :raises ConfigError: something is missing, unknown or of the wrong type.
    """
    config = _record(Config, document, "")
    check_roles(config.roles)
    check_identity(config.identity)
    check_url("identity.auth_url", config.identity.auth_url)
    check_url("api.base_url", config.api.base_url)
    check_needed(config)
    check_patience(config)
    if config.store.kind not in {"sqlite", "memory"}:
        raise ConfigError("store.kind", "must be sqlite or memory")
    if config.rates.execute_scope not in EXECUTE_SCOPES:
        raise ConfigError("rates.execute_scope", f"must be {' or '.join(EXECUTE_SCOPES)}")
    return config


def check_identity(identity: IdentitySettings) -> None:
    """
    Check the choice of version and of how to act for tenants.

    :raises ConfigError: there is no such choice, or something that it needs is missing.
    """
    if identity.version not in {"v3", "v2.0"}:
        raise ConfigError("identity.version", "must be v3 or v2.0")
    if identity.acting not in ACTING_VERSIONS:
        raise ConfigError("identity.acting", f"must be one of {', '.join(ACTING_VERSIONS)}")
    version = ACTING_VERSIONS[identity.acting]
    if version not in {None, identity.version}:
        raise ConfigError("identity.acting", f"{identity.acting} needs identity.version {version}")
    if identity.acting == "application-credential" and not identity.application_credentials_file:
        raise ConfigError("identity.application_credentials_file", "is required")
    if identity.impersonated_user and "{tenant}" not in identity.impersonated_user:
        raise ConfigError("identity.impersonated_user", "must contain {tenant}")
    if identity.impersonation_life < IMPERSONATION_LIFE_MIN:
        raise ConfigError("identity.impersonation_life_seconds", "must be at least 60")


def check_url(path: str, url: str) -> None:
    """
    Check that a URL names a host that HTTP may ask.

    :raises ConfigError: it does not.
    """
    if not re.fullmatch(r"(?i:https?)://(\[[0-9a-fA-F:.]+\]|[^\s/:@?#]+)(:\d+)?(/[^\s?#]*)?", url):
        raise ConfigError(path, "must be a URL like https://host:port/path")


def check_patience(config: Config) -> None:
    """
    Check that a create is given up only when it can no longer be under way (promise S1).

    :raises ConfigError: it could still be.
    """
    settings = config.supervisor
    least = settings.job_deadline + config.cloud.timeout + settings.settle
    if settings.abandon < least:
        needs = (
            "supervisor.job_deadline_seconds + cloud.timeout_seconds + supervisor.settle_seconds"
        )
        raise ConfigError(
            "supervisor.abandon_seconds",
            f"must be at least {needs}, here {least.total_seconds():g}",
        )


def check_needed(config: Config) -> None:
    """
    Check that nothing is 0 of which there must be some.

    :raises ConfigError: something is.
    """
    for section, names in NEEDED.items():
        for name in names:
            value = getattr(getattr(config, section), name)
            if not value:
                key = f"{name}_seconds" if isinstance(value, timedelta) else name
                raise ConfigError(f"{section}.{key}", "must be more than 0")


def check_roles(roles: tuple[str, ...]) -> None:
    """
    Check the names of roles.

    :raises ConfigError: none is given, or one is unknown.
    """
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise ConfigError("roles", f"must name some of {', '.join(ROLES)}")


def _record(record: type[R], table: object, path: str) -> R:
    if not isinstance(table, Mapping):
        raise ConfigError(path, "must be a table")
    found = dict(table)
    hints = get_type_hints(record)
    values: dict[str, Any] = {}
    for attribute in attrs.fields(record):  # type: ignore[arg-type]
        kind = hints[attribute.name]
        key = f"{attribute.name}_seconds" if kind is timedelta else attribute.name
        where = f"{path}.{key}" if path else key
        if key in found:
            values[attribute.name] = _value(kind, found.pop(key), where)
        elif kind is str and f"{key}_file" in found:
            values[attribute.name] = _secret(found.pop(f"{key}_file"), f"{where}_file")
        elif attribute.default is attrs.NOTHING:
            if attrs.has(kind):
                values[attribute.name] = _record(kind, {}, where)
            else:
                raise ConfigError(where, "is required")
    for key in found:
        raise ConfigError(f"{path}.{key}" if path else key, "is not a known key")
    return record(**values)


def _value(kind: Any, value: object, path: str) -> Any:
    if attrs.has(kind):
        return _record(kind, value, path)
    if kind is timedelta:
        return _duration(value, path)
    if kind is float:
        return _number(value, path)
    if get_origin(kind) is tuple:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise ConfigError(path, "must be a list of strings")
    if isinstance(kind, UnionType):
        kind = next(k for k in get_args(kind) if k is not NoneType)
    if type(value) is not kind:
        raise ConfigError(path, f"must be {NAMES[kind]}")
    if kind is int and isinstance(value, int) and value < 0:
        raise ConfigError(path, "must not be negative")
    return value


NAMES = {str: "a string", int: "a whole number", bool: "true or false"}


def _number(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < inf:
        raise ConfigError(path, "must be a number, not negative")
    return float(value)


def _duration(value: object, path: str) -> timedelta:
    try:
        return timedelta(seconds=_number(value, path))
    except OverflowError:
        raise ConfigError(path, "is longer than can be reckoned with") from None


def _secret(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(path, "must be a path")
    try:
        return Path(value).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(path, error.strerror or "cannot be read") from None
    except ValueError:
        raise ConfigError(path, "must name a file of text") from None
