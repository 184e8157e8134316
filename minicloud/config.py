"""
What a cloud is started with: parsed once, frozen, with defaults that suit a laptop.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from attrs import field, frozen
from pyrsistent import PMap, pmap

DriverName = Literal["fake", "process"]
DOMAIN_ID = "default"
DOMAIN_NAME = "Default"
DEFAULT_QUOTA_INSTANCES = 1000


def as_roles(mapping: Mapping[str, tuple[str, ...]]) -> PMap[str, tuple[str, ...]]:
    """Return an immutable copy of a map of role names."""
    return pmap(mapping)


def stable_id(kind: str, name: str) -> str:
    """Return the id that ``name`` has in every run, so that scripts survive a restart."""
    return uuid5(NAMESPACE_URL, f"minicloud:{kind}:{name}").hex


def stable_uuid(kind: str, name: str) -> str:
    """Return the same with hyphens, as images and networks have it."""
    return str(uuid5(NAMESPACE_URL, f"minicloud:{kind}:{name}"))


@frozen
class ProjectConfig:
    """A project that exists from the start and after every reset."""

    name: str
    project_id: str = field()

    @project_id.default
    def _stable(self) -> str:
        return stable_id("project", self.name)


@frozen
class UserConfig:
    """
    A user that exists from the start.

    :ivar roles: project name to names of roles there.
    :ivar service_roles: roles held on every project, also on those made later.
    """

    name: str
    password: str = field(repr=False)
    roles: PMap[str, tuple[str, ...]] = field(converter=as_roles, factory=pmap)
    service_roles: tuple[str, ...] = ()


@frozen
class Flavor:
    """A size of server."""

    flavor_id: str
    name: str
    ram_mb: int
    disk_gb: int
    vcpus: int


@frozen
class Image:
    """What a server boots from."""

    image_id: str
    name: str
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    size_bytes: int = 41126400


@frozen
class AddressRange:
    """
    Where fixed addresses come from.

    :ivar cidr: the whole range.
    :ivar project_prefix: the length of the prefix of each project's own subnet.
    """

    cidr: str
    project_prefix: int


FAKE_RANGE = AddressRange("10.0.0.0/8", 18)

DEFAULT_PROJECTS = (ProjectConfig("demo"), ProjectConfig("other"), ProjectConfig("service"))
DEFAULT_USERS = (
    UserConfig("demo", "demo-password", {"demo": ("admin", "member"), "other": ("member",)}),
    UserConfig("observer", "observer-password", {"demo": ("observer",)}),
    UserConfig("otter", "otter-password", service_roles=("admin", "service")),
)
DEFAULT_FLAVORS = (
    Flavor("1", "m1.tiny", 512, 1, 1),
    Flavor("2", "m1.small", 2048, 20, 1),
    Flavor("3", "m1.medium", 4096, 40, 2),
    Flavor("4", "m1.large", 8192, 80, 4),
    Flavor("5", "m1.xlarge", 16384, 160, 8),
)
DEFAULT_IMAGES = (
    Image(stable_uuid("image", "minicloud-guest"), "minicloud-guest"),
    Image(stable_uuid("image", "minicloud-guest-old"), "minicloud-guest-old"),
)


@frozen
class CloudConfig:
    """
    Everything that is decided before the cloud starts.

    :ivar port: 0 lets the machine choose; what was chosen is in the credentials file.
    :ivar boot_time: how long a server stays in BUILD at least.
    :ivar guest_port: where a process server answers HTTP, on its own address.
    :ivar stop_grace: how long a process may take to follow SIGTERM before it is killed.
    :ivar node_capacity: how many servers one node takes.
    """

    driver: DriverName = "fake"
    port: int = 0
    driven_time: bool = False
    state_dir: Path = Path(".state/minicloud")
    credentials_file: Path = Path(".state/minicloud/credentials.json")
    region: str = "RegionOne"
    boot_time: timedelta = timedelta(0)
    token_lifetime: timedelta = timedelta(hours=24)
    max_microversion: str = "2.96"
    guest_port: int = 8000
    boot_timeout: timedelta = timedelta(seconds=60)
    stop_grace: timedelta = timedelta(seconds=2)
    nodes: tuple[str, ...] = ("node-1",)
    node_capacity: int = 10_000
    quota_instances: int = DEFAULT_QUOTA_INSTANCES
    projects: tuple[ProjectConfig, ...] = DEFAULT_PROJECTS
    users: tuple[UserConfig, ...] = DEFAULT_USERS
    flavors: tuple[Flavor, ...] = DEFAULT_FLAVORS
    images: tuple[Image, ...] = DEFAULT_IMAGES
    key_names: tuple[str, ...] = ("demo",)
