"""What a store may refuse or fail to do; every method of ``Store`` names the ones it raises."""


class StoreError(Exception):
    """Anything a store says no with."""


class NoSuchGroupError(StoreError):
    """The group does not exist (or no longer does)."""


class NoSuchPolicyError(StoreError):
    """The policy does not exist in an existing group."""


class NoSuchWebhookError(StoreError):
    """The webhook, or the policy it hangs under, does not exist in an existing group."""


class ConflictError(StoreError):
    """Somebody else wrote first: the generation or revision given is no longer the stored one."""


class OverLimitError(StoreError):
    """
    A limit given with the call would be exceeded; nothing was written.

    :param what: what is limited, ``groups``, ``policies`` or ``webhooks``.
    :param limit: the highest count allowed.
    """

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"no more than {limit} {what}")
        self.what = what
        self.limit = limit


class StoreUnavailableError(StoreError):
    """The engine cannot be reached or refuses service now; the outcome of a write is unknown."""
