"""A minicloud and an Otter that works on it: started, configured, reachable, ended."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import define, field

from otter.testing.client import Client
from otter.testing.processes import (
    RunningService,
    eventually,
    free_port,
    spawn_twistd,
    wait_until_serving,
)

FAST: Mapping[str, Mapping[str, float]] = {
    "supervisor": {
        "build_timeout_seconds": 4,
        "settle_seconds": 1.5,
        "abandon_seconds": 7.5,
        "job_deadline_seconds": 3,
        "retry_first_seconds": 0.3,
        "retry_max_seconds": 2,
        "look_first_seconds": 0.1,
        "look_max_seconds": 0.5,
        "sweep_seconds": 1,
        "mark_poll_seconds": 0.5,
    },
    "cloud": {"timeout_seconds": 3},
    "worker": {"notify_poll_seconds": 0.2, "notify_retry_seconds": 0.3},
    "operator": {"census_seconds": 0.5},
    "rates": {"enabled": False},
}
"""Times for tests and demonstrations, where a cloud boots servers in a moment, and where callers
are in more of a hurry than people are."""


def to_toml(document: Mapping[str, Any]) -> str:
    """Write a configuration of scalars, lists and one level of tables."""
    lines = [f"{k} = {json.dumps(v)}" for k, v in document.items() if not isinstance(v, Mapping)]
    for name, table in document.items():
        if isinstance(table, Mapping):
            lines += [f"\n[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"


def merged(*documents: Mapping[str, Any]) -> dict[str, Any]:
    """Return one configuration; tables are merged, later values win."""
    result: dict[str, Any] = {}
    for document in documents:
        for key, value in document.items():
            if isinstance(value, Mapping):
                result[key] = {**result.get(key, {}), **value}
            else:
                result[key] = value
    return result


@define
class Minicloud:
    """A running minicloud."""

    reactor: Any
    directory: Path
    process: RunningService
    credentials: Mapping[str, Any] = field(repr=False)

    @property
    def control(self) -> Client:
        """Commands faults and judges: the cloud's own view, of all projects."""
        return Client(self.reactor, self.credentials["control_url"])

    def project_id(self, name: str) -> str:
        """Return the id of a project by its name."""
        for project in self.credentials["projects"]:
            if project["name"] == name:
                found: str = project["id"]
                return found
        raise KeyError(name)

    def password_of(self, user: str) -> str:
        """Return a user's password."""
        for known in self.credentials["users"]:
            if known["name"] == user:
                found: str = known["password"]
                return found
        raise KeyError(user)


@define
class Otter:
    """A running Otter."""

    reactor: Any
    directory: Path
    config: Path
    base_url: str
    process: RunningService
    operator_url: str = ""

    def spawn(self) -> None:
        """Start a new process on the same files; the old one must have ended."""
        self.process = _spawn_otter(self.reactor, self.config)

    def end_at_once(self) -> None:
        """End whichever process runs now, without a reactor."""
        self.process.end_at_once()

    async def ready(self) -> None:
        """Return when the process serves."""
        await wait_until_serving(self.process, Client(self.reactor, self.base_url), "/health")


def _spawn_otter(reactor: Any, config: Path) -> RunningService:
    arguments = ["--config", str(config)]
    return spawn_twistd(reactor, "otter", arguments, config.parent, "otter.app.logs.json_log")


async def start_minicloud(reactor: Any, directory: Path, *arguments: str) -> Minicloud:
    """Start a minicloud on a free port; it tells where it is in its credentials file."""
    credentials = directory / "credentials.json"
    credentials.unlink(missing_ok=True)
    process = spawn_twistd(
        reactor,
        "minicloud",
        [
            "--port",
            str(free_port()),
            "--state-dir",
            str(directory / "cloud"),
            "--credentials",
            str(credentials),
            *arguments,
        ],
        directory,
    )

    async def written() -> bool:
        return process.ended or credentials.exists()

    await eventually(reactor, "the credentials file", written)
    known = json.loads(credentials.read_text("utf-8")) if credentials.exists() else {}
    cloud = Minicloud(reactor, directory, process, known)
    root = known.get("root", "http://127.0.0.1:9")
    await wait_until_serving(process, Client(reactor, root), "/health")
    return cloud


async def start_otter(
    reactor: Any, directory: Path, cloud: Minicloud, *settings: Mapping[str, Any]
) -> Otter:
    """Start an Otter that works on the cloud as its service user, with all roles."""
    port, operator_port = free_port(), free_port()
    base_url = f"http://127.0.0.1:{port}"
    service_user = cloud.credentials["service_user"]
    document = merged(
        {
            "identity": {
                "auth_url": cloud.credentials["auth_url"],
                "user_name": service_user["name"],
                "password": service_user["password"],
                "region": cloud.credentials["region"],
                "project": cloud.project_id("service"),
            },
            "api": {"base_url": base_url, "listen": f"tcp:{port}:interface=127.0.0.1"},
            "operator": {"listen": f"tcp:{operator_port}:interface=127.0.0.1"},
            "store": {"path": str(directory / "otter.sqlite")},
            "notify": {"allow_private": True},
        },
        *settings,
    )
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "otter.toml"
    config.touch(mode=0o600)
    config.write_text(to_toml(document), "utf-8")
    operator_url = f"http://127.0.0.1:{operator_port}"
    process = _spawn_otter(reactor, config)
    otter = Otter(reactor, directory, config, base_url, process, operator_url)
    await otter.ready()
    return otter


async def log_in(cloud: Minicloud, user: str, project: str) -> str:
    """Return a token of a user of the credentials file for a project, by its name."""
    return await log_in_as(cloud, user, cloud.password_of(user), cloud.project_id(project))


async def log_in_as(cloud: Minicloud, user: str, password: str, project_id: str) -> str:
    """Return a token from identity v3, scoped to the project."""
    known = {"name": user, "domain": {"name": "Default"}, "password": password}
    client = Client(cloud.reactor, cloud.credentials["auth_url"].rstrip("/"))
    answer = await client.call(
        "POST",
        "/auth/tokens",
        {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": known}},
                "scope": {"project": {"id": project_id}},
            }
        },
        timeout=timedelta(seconds=10),
    )
    if answer.status != 201:
        raise PermissionError(f"identity answers {answer.status}")
    return answer.header("x-subject-token")
