"""
What ``twistd minicloud`` understands.
"""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from twisted.application.service import IService
from twisted.python import usage

from minicloud.config import CloudConfig
from minicloud.service import make_service


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError("a port is a number from 0 to 65535")
    return number


def _seconds(text: str) -> timedelta:
    seconds = float(text)
    if not 0 <= seconds <= 1e9:
        raise ValueError("a number of seconds, not negative")
    return timedelta(seconds=seconds)


class Options(usage.Options):
    """Options of a cloud."""

    synopsis = "[options]"
    longdesc = "A real little OpenStack-style cloud on this machine. Loopback only."
    optParameters: ClassVar[list[list[object]]] = [
        ["port", "p", 0, "Where all faces are served; 0 for any free port.", _port],
        ["driver", None, "process", "process: real servers; fake: any number, in memory."],
        ["state-dir", None, ".state/minicloud", "Where servers have their directories."],
        ["credentials", None, None, "The file that tells clients how to reach the cloud."],
        ["build-time", None, timedelta(0), "Seconds a server stays in BUILD at least.", _seconds],
        ["guest-port", None, 8000, "Where servers answer HTTP on their addresses.", _port],
        ["region", None, "RegionOne", "The region's name in the catalog."],
        ["max-microversion", None, "2.96", "The latest Compute microversion on offer."],
    ]
    optFlags: ClassVar[list[list[object]]] = [
        ["driven-time", None, "Time stands still but for POST /control/clock."],
    ]

    def postOptions(self) -> None:
        """Refuse what no cloud can be made of."""
        if self["driver"] not in {"process", "fake"}:
            raise usage.UsageError("--driver is process or fake")

    def config(self) -> CloudConfig:
        """Return what was asked for."""
        state = Path(self["state-dir"])
        file = self["credentials"]
        return CloudConfig(
            driver=self["driver"],
            port=self["port"],
            driven_time=bool(self["driven-time"]),
            state_dir=state,
            credentials_file=Path(file) if file else state / "credentials.json",
            boot_time=self["build-time"],
            guest_port=self["guest-port"],
            region=self["region"],
            max_microversion=self["max-microversion"],
        )


def makeService(options: Options) -> IService:
    """Return the service, running in the process's own reactor."""
    from twisted.internet import reactor  # noqa: PLC0415  importing it any earlier installs it

    return make_service(options.config(), reactor)
