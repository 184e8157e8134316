"""
Ask the cloud about a launch config before it is kept (rest-api.md 4.6).

Comes after everything that can be judged from the body alone and before the controller is asked, so
that a group which cannot boot a single server is refused at once and not found out later.
"""

from attrs import frozen

from otter.cloud.errors import CloudError
from otter.cloud.interface import LaunchChecker
from otter.controller.errors import InvalidLaunchConfiguration
from otter.controller.interface import NewLaunch
from otter.models.ids import TenantId
from otter.rest.errors import UnavailableError


@frozen
class LaunchGate:
    """
    Lets launch configs pass.

    :ivar checker: asks the cloud; None lets all of them pass.
    """

    checker: LaunchChecker | None

    async def check(self, tenant_id: TenantId, launch: NewLaunch) -> None:
        """
        Judge a launch config.

        :raises InvalidLaunchConfiguration: the cloud would refuse it; one line per problem.
        :raises UnavailableError: the cloud cannot be asked now.
        """
        if self.checker is None:
            return
        try:
            problems = await self.checker.check_launch(tenant_id, launch.type, launch.args)
        except CloudError as error:
            raise UnavailableError("the cloud cannot be asked") from error
        if problems:
            raise InvalidLaunchConfiguration("\n".join(problems))
