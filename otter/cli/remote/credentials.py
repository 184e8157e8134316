"""
Turn ``clouds.yaml``, ``OS_*`` variables and options into a session and the tenant's endpoint.

The same rules as every OpenStack program: options win over the cloud that is named, and without a
name the variables speak. A token with an endpoint needs no identity at all. Importing the SDK
takes a while, so only what needs it imports this module.
"""

import logging
import warnings
from collections.abc import Mapping
from typing import Any

from keystoneauth1.exceptions import CatalogException
from keystoneauth1.plugin import BaseAuthPlugin
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from openstack.config import OpenStackConfig
from openstack.config.cloud_region import CloudRegion
from openstack.exceptions import ConfigException

from otter.cli.exits import UsageError
from otter.cli.remote.endpoints import SERVICE_TYPES, named_project, tenant_endpoint
from otter.cli.remote.interface import Connection, Options, Trace, Wire
from otter.cli.remote.wire import SessionWire, translated

ANSWER_SECONDS = 60
CONFIG_KEY = "autoscale"
"""Of ``autoscale_endpoint_override`` in ``clouds.yaml``."""

AUTH_OPTIONS = (
    "auth_url",
    "username",
    "user_id",
    "password",
    "token",
    "project_id",
    "project_name",
    "user_domain_id",
    "user_domain_name",
    "project_domain_id",
    "project_domain_name",
    "application_credential_id",
    "application_credential_name",
    "application_credential_secret",
)
"""What ``--os-…`` options say about who is asking."""

OTHER_OPTIONS = ("auth_type", "region_name", "interface", "identity_api_version", "cacert")

NOT_BESIDE_TOKEN = ("username", "user_id", "password", "user_domain_id", "user_domain_name")
"""What a plugin that has a token does not want to hear."""


class SdkOpener:
    """Opens ways to clouds as the OpenStack SDK does, quietly: what matters comes as an error."""

    def __init__(self) -> None:
        for name in ("keystoneauth", "openstack", "stevedore"):
            logging.getLogger(name).addHandler(logging.NullHandler())
        # Whoever says --insecure has been warned.
        warnings.filterwarnings("ignore", module="urllib3")

    def connect(self, options: Options, environment: Mapping[str, str], trace: Trace) -> Connection:
        """
        Return a connection; identity is asked only for what nobody said.

        :raises UsageError: there are no credentials, or nobody says where the service is.
        :raises CommandError: identity says no, or nothing.
        """

        def said(name: str) -> str:
            return str(options.get(name) or environment.get(name.upper()) or "")

        endpoint = options.get("endpoint") or environment.get("OTTER_ENDPOINT") or ""
        token = said("os_token")
        if endpoint and token and not (said("os_cloud") or said("os_auth_url")):
            trace(f"autoscaling at {endpoint}, with a token as it is")
            session = _session(options, Token(endpoint, token))
            wire = SessionWire(session, trace)
            return Connection(wire, tenant_endpoint(endpoint, said("os_project_id")))
        return _open(_read_config(options), endpoint, trace)

    def anonymous(self, options: Options, trace: Trace) -> Wire:
        """Return a way to whoever asks for no credentials."""
        return SessionWire(_session(options), trace)


def _session(options: Options, auth: BaseAuthPlugin | None = None) -> Session:
    """Return a session that only knows what options say."""
    cacert = options.get("os_cacert")
    verify = not options.get("insecure")
    return Session(
        auth,
        verify=cacert if verify and cacert else verify,
        timeout=ANSWER_SECONDS,
        app_name="otter",
    )


def _read_config(options: Options) -> CloudRegion:
    """
    Return what files, variables and options say together.

    :raises UsageError: that is not enough, or there is no such cloud.
    """
    auth = {name: options[f"os_{name}"] for name in AUTH_OPTIONS if options.get(f"os_{name}")}
    given = {name: options[f"os_{name}"] for name in OTHER_OPTIONS if options.get(f"os_{name}")}
    if options.get("insecure"):
        given["insecure"] = True
    if "token" in auth:
        given.setdefault("auth_type", "token")
    try:
        with translated():
            return _Config(app_name="otter").get_one(
                cloud=options.get("os_cloud") or None, auth=auth, **given
            )
    except ConfigException as error:
        raise UsageError(str(error)) from error
    except UsageError as error:
        raise UsageError(
            f"{error}: name a cloud of clouds.yaml (--os-cloud), or set the OS_ variables"
        ) from error


class _Config(OpenStackConfig):
    """The usual rules, and a token takes the place of a password."""

    def auth_config_hook(self, config: dict[str, Any]) -> dict[str, Any]:
        config = super().auth_config_hook(config)
        auth = config["auth"]
        if auth.get("token") and not auth.get("password") and config["auth_type"] == "password":
            config["auth_type"] = "token"
        if config["auth_type"] in {"token", "v3token", "v2token"}:
            config["auth"] = {k: v for k, v in auth.items() if k not in NOT_BESIDE_TOKEN}
        return config


def _open(region: CloudRegion, endpoint: str, trace: Trace) -> Connection:
    session = region.get_session()
    session.timeout = session.timeout or ANSWER_SECONDS
    auth = region.config.get("auth") or {}
    trace(f"identity at {auth.get('auth_url')}, region {region.region_name or 'any'}")
    with translated():
        found = endpoint or region.get_endpoint(CONFIG_KEY) or _look_up(session, region)
        project = auth.get("project_id")
        # Identity is not asked for what the endpoint says itself.
        if not project and named_project(found) is None:
            project = session.get_project_id()
        compute = region.get_endpoint("compute") or _in_catalog(session, region, "compute")
    trace(f"autoscaling at {found}")
    return Connection(SessionWire(session, trace), tenant_endpoint(found, project), compute)


def _look_up(session: Session, region: CloudRegion) -> str:
    for kind in SERVICE_TYPES:
        found = _in_catalog(session, region, kind)
        if found:
            return found
    where = f" in region {region.region_name}" if region.region_name else ""
    raise UsageError(
        f"the catalog offers no service of type {' or '.join(SERVICE_TYPES)}{where}: "
        f"give --endpoint, or OTTER_ENDPOINT, or {CONFIG_KEY}_endpoint_override in clouds.yaml"
    )


def _in_catalog(session: Session, region: CloudRegion, kind: str) -> str | None:
    try:
        found = session.get_endpoint(
            service_type=kind,
            interface=region.get_interface(kind),
            region_name=region.region_name or None,
            skip_discovery=True,
        )
    except CatalogException:
        return None
    return None if found is None else str(found)
