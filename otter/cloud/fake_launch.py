"""A ``LaunchChecker`` in memory: everything exists, save what a test orders otherwise."""

from copy import copy

from pyrsistent import PMap

from otter.cloud.errors import CloudError
from otter.cloud.launch_rules import (
    NO_STACKS,
    FileLimits,
    may_be_id,
    personality_problems,
    preview_problems,
    status_problem,
    unknown_problem,
    wanted_of,
)
from otter.models.group import LaunchType
from otter.models.ids import TenantId


class FakeLaunchChecker:
    """
    See ``LaunchChecker``.

    :ivar missing: ids of images and flavors that do not exist, with the cloud's words about each.
    :ivar image_statuses: of images that are not ACTIVE.
    :ivar limits: of personality files.
    :ivar orchestrated: whether there is an orchestration service.
    :ivar preview: the status and the words with which it fails to preview a stack, or None.
    :ivar error: raised instead of any answer while it is not None: the cloud cannot be asked.
    :ivar checks: how many launch configs were checked.
    """

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        self.image_statuses: dict[str, str] = {}
        self.limits = FileLimits(count_max=5, size_max_bytes=1000)
        self.orchestrated = True
        self.preview: tuple[int, str] | None = None
        self.error: CloudError | None = None
        self.checks = 0

    async def check_launch(
        self, tenant_id: TenantId, kind: LaunchType, args: PMap[str, object]
    ) -> tuple[str, ...]:
        """See ``LaunchChecker``."""
        self.checks += 1
        if self.error is not None:
            raise copy(self.error)
        if kind is LaunchType.STACK:
            return self._stack_problems()
        wanted = wanted_of(args)
        images = () if wanted.image is None else self._image_problems(wanted.image)
        flavors = self._absence("flavor", wanted.flavor)
        return (*images, *flavors, *personality_problems(wanted.files, self.limits))

    def _stack_problems(self) -> tuple[str, ...]:
        if not self.orchestrated:
            return (NO_STACKS,)
        return () if self.preview is None else preview_problems(*self.preview)

    def _image_problems(self, name: str) -> tuple[str, ...]:
        problem = status_problem(name, self.image_statuses.get(name, "ACTIVE"))
        return self._absence("image", name) or (() if problem is None else (problem,))

    def _absence(self, kind: str, name: str) -> tuple[str, ...]:
        if not may_be_id(name):
            return (unknown_problem(kind, name),)
        return (unknown_problem(kind, name, self.missing[name]),) if name in self.missing else ()
