"""Put the families of calls together to one ``Controller``."""

from otter.controller.executions import ExecutionCalls
from otter.controller.groups import GroupCalls
from otter.controller.policies import PolicyCalls
from otter.controller.webhooks import WebhookCalls


class OtterController(GroupCalls, PolicyCalls, WebhookCalls, ExecutionCalls):
    """
    A ``Controller`` over a ``Store`` and a ``Bus``.

    Stateless but for calls under way, so any number of processes can serve the same groups.
    """
