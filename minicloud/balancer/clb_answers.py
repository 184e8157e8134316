"""
Decide the status and body of Cloud Load Balancers' answers, refusals above all.
"""

import json
from collections.abc import Sequence
from datetime import timedelta

from attrs import evolve, frozen

from minicloud.balancer import errors
from minicloud.balancer.clb_documents import InvalidDocumentError


@frozen
class Answer:
    """
    What goes back to the client.

    :ivar retry_after: how long the client is asked to wait, where the answer says so.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    retry_after: timedelta | None = None


def json_answer(status: int, document: object) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(status, json.dumps(document).encode())


def error_answer(status: int, message: str) -> Answer:
    """Return a refusal in this API's form."""
    return json_answer(status, {"message": message, "code": status})


def invalid_answer(messages: Sequence[str]) -> Answer:
    """Return the refusal of something that was not understood."""
    return json_answer(
        400,
        {
            "message": "Validation Failure",
            "code": 400,
            "details": "The object is not valid",
            "validationErrors": {"messages": list(messages)},
        },
    )


def refusal(error: Exception, *, changing: bool) -> Answer | None:
    """
    Return the answer to a call that failed, or None if the error is no refusal but a defect.

    :param changing: whether the call meant to change something.
    """
    match error:
        case InvalidDocumentError():
            return invalid_answer(error.messages)
        case errors.UnknownNodesError():
            ids = ",".join(map(str, error.node_ids))
            return invalid_answer([f"Node ids {ids} are not a part of your loadbalancer"])
        case errors.BalancerError():
            return error_answer(*_status_and_message(error, changing=changing))
    status = getattr(error, "status", None)
    if not isinstance(status, int):
        return None
    return evolve(error_answer(status, str(error)), retry_after=getattr(error, "retry_after", None))


def _status_and_message(error: errors.BalancerError, *, changing: bool) -> tuple[int, str]:
    match error:
        case errors.LoadBalancerNotFoundError():
            found = 404, "Load balancer not found."
        case errors.NodeNotFoundError():
            found = 404, f"Node with id #{error.node_id} not found for loadbalancer #{error.lb_id}"
        case errors.LoadBalancerDeletedError() if changing:
            found = 422, "The load balancer is deleted and considered immutable."
        case errors.LoadBalancerDeletedError():
            found = 410, "The load balancer is marked as deleted."
        case errors.DuplicateNodesError():
            text = "One or more nodes already configured on load balancer."
            found = 422, f"Duplicate nodes detected. {text}"
        case errors.NodeLimitError():
            found = 413, f"Nodes must not exceed {error.limit} per load balancer."
        case errors.ImmutableError():
            text = f"Load Balancer '{error.lb_id}' has a status of '{error.status}'"
            found = 422, f"{text} and is considered immutable."
        case errors.LoadBalancerLimitError():
            found = 413, f"Load balancer limit reached: {error.limit}."
        case _:
            found = 404, f"{str(error)[:1].upper()}{str(error)[1:]}."
    return found
