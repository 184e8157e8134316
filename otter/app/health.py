"""How the process asks its store how it is."""

from collections.abc import Awaitable, Callable

from otter.models.errors import StoreError
from otter.models.interface import Store
from otter.rest.health import Health


def store_health(store: Store) -> Callable[[], Awaitable[Health]]:
    """Return a check that makes a real call to the store."""

    async def check() -> Health:
        try:
            await store.list_dirty(limit=1)
        except StoreError as error:
            return Health(False, {"error": type(error).__name__})
        return Health(True)

    return check
