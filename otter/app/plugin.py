"""``twistd otter``: options, and the service they describe."""

from pathlib import Path
from typing import cast

from attrs import evolve
from twisted.application.service import IService
from twisted.internet import reactor
from twisted.python.usage import Options as TwistedOptions
from twisted.python.usage import UsageError

from otter.app.service import Reactor, make_service
from otter.config import ConfigError, check_roles, load


class Options(TwistedOptions):
    """What ``twistd otter`` is told."""

    optParameters = [  # noqa: RUF012 - the name and type are Twisted's
        ["config", "c", "otter.toml", "Configuration file (TOML)."],
        ["roles", "r", None, "Roles of this process, comma separated: api,supervisor,worker."],
    ]
    longdesc = "Keeps the right number of healthy servers running on OpenStack-style clouds."

    def postOptions(self) -> None:
        """
        Read the configuration.

        :raises UsageError: there is something wrong with it.
        """
        try:
            config = load(Path(self["config"]))
            if self["roles"] is not None:
                roles = tuple(role.strip() for role in self["roles"].split(","))
                check_roles(roles)
                config = evolve(config, roles=roles)
        except ConfigError as error:
            raise UsageError(str(error)) from None
        self["parsed"] = config


def makeService(options: Options) -> IService:
    """Return the service for parsed options."""
    return make_service(options["parsed"], cast("Reactor", reactor))
