"""
Configuration: one TOML file, parsed once at start into frozen records; an error names the key.

Durations are numbers of seconds under keys that end in ``_seconds``. Unknown keys are errors, so
that a
misspelt one is not silently ignored. A secret may be given as ``<key>_file``, the path of a file.
"""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import attrs
from attrs import field, frozen

from otter.controller.interface import Limits
from otter.supervisor.settings import SupervisorSettings
from otter.worker.settings import WorkerSettings

R = TypeVar("R")

ROLES = ("api", "supervisor", "worker")


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
    :ivar user_name: our own service user, which has a role on every tenant's project.
    :ivar password: of that user.
    :ivar user_domain: the name of its domain.
    :ivar region: of the endpoints to use; empty takes the first of any region.
    :ivar interface: which of a service's endpoints to use: public, internal or admin.
    :ivar version: ``v3`` or ``v2.0``.
    :ivar project: the id of a project on which the user has a role that lets it check other
        people's tokens; empty asks with a token without scope.
    """

    auth_url: str
    user_name: str
    password: str = field(repr=False)
    version: str = "v3"
    user_domain: str = "Default"
    project: str = ""
    region: str = "RegionOne"
    interface: str = "public"


@frozen
class ApiSettings:
    """
    The public API.

    :ivar base_url: the root that links in answers start with, as clients reach us.
    :ivar listen: a Twisted endpoint description.
    :ivar body_limit_bytes: larger request bodies are refused with 413.
    :ivar full_roles: roles that may do everything on the token's own project.
    :ivar read_roles: roles that may look at everything but secrets.
    :ivar cross_tenant_roles: roles that may do everything on every project.
    :ivar authenticate: ask identity whose token it is; off only for development.
    :ivar token_staleness: a token revoked at identity may be accepted this much longer.
    """

    base_url: str = "http://127.0.0.1:8901"
    listen: str = "tcp:8901:interface=127.0.0.1"
    authenticate: bool = True
    token_staleness: timedelta = timedelta(seconds=60)
    body_limit_bytes: int = 1_048_576
    full_roles: tuple[str, ...] = ("admin", "identity:user-admin", "autoscale:admin")
    read_roles: tuple[str, ...] = ("observer", "autoscale:observer")
    cross_tenant_roles: tuple[str, ...] = ()


@frozen
class CloudSettings:
    """
    How calls to the cloud are made.

    :ivar timeout: for a whole exchange, body included.
    :ivar tokens: tenants whose tokens are kept.
    """

    timeout: timedelta = timedelta(seconds=30)
    tokens: int = 10_000


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
    if config.identity.version not in {"v3", "v2.0"}:
        raise ConfigError("identity.version", "must be v3 or v2.0")
    if config.store.kind not in {"sqlite", "memory"}:
        raise ConfigError("store.kind", "must be sqlite or memory")
    return config


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
        elif f"{key}_file" in found:
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
        return timedelta(seconds=_number(value, path))
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
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ConfigError(path, "must be a number, not negative")
    return float(value)


def _secret(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(path, "must be a path")
    try:
        return Path(value).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(path, error.strerror or "cannot be read") from None
