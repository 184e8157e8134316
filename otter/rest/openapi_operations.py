"""
What the OpenAPI document says of each route: the one table that describes the API in words.

A route without an entry, or an entry without a route, fails a test.
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from otter.controller import errors as refused
from otter.rest.calls import (
    GROUP,
    GROUPS,
    POLICIES,
    POLICY,
    TENANT,
    WEBHOOK,
    WEBHOOKS,
)
from otter.rest.errors import (
    InvalidJsonError,
    InvalidQueryArgumentError,
    NotOfferedError,
)
from otter.rest.openapi_examples import (
    A_CONFIG,
    A_GROUP,
    A_LAUNCH,
    A_POLICY,
    A_WEBHOOK,
    SOME_POLICIES,
    SOME_WEBHOOKS,
)

CAPABILITY = "/v1.0/execute/<version>/<hash>"
DOCUMENT = "/v1.0/openapi.json"

Refusal = type[Exception]

_BODY = (InvalidJsonError, refused.ValidationError)
_PAGE = ("limit", "marker")
_NO_GROUP = (refused.NoSuchScalingGroupError,)
_NO_POLICY = (*_NO_GROUP, refused.NoSuchPolicyError)
_NO_WEBHOOK = (*_NO_GROUP, refused.NoSuchWebhookError)
_LAUNCH = (refused.InvalidLaunchConfiguration,)


@frozen
class Operation:
    """
    One method of one path.

    :ivar name: what generated clients call it.
    :ivar status: of success.
    :ivar answer: the definition that the body of a success follows; None for an empty one.
    :ivar body: the definition that the request's body follows, with an example of it.
    :ivar query: the names of its query arguments.
    :ivar refusals: what it may answer apart from what every operation may.
    :ivar details: more than fits into the summary.
    :ivar public: needs no token.
    """

    tag: str
    name: str
    summary: str
    status: int
    answer: str | None = None
    body: tuple[str, Any] | None = None
    query: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    details: str = ""
    public: bool = False


_GROUPS: Mapping[tuple[str, str], Operation] = {
    ("GET", GROUPS): Operation(
        "Groups",
        "listGroups",
        "List the tenant's groups and their states.",
        200,
        "group.list_answer",
        query=_PAGE,
        refusals=(InvalidQueryArgumentError,),
        details="Ascending by id. Groups that are being deleted are left out.",
    ),
    ("POST", GROUPS): Operation(
        "Groups",
        "createGroup",
        "Create a group, with policies if any are given.",
        201,
        "group.group_answer",
        body=("group.new_group", A_GROUP),
        refusals=(
            *_BODY,
            refused.InvalidMinEntities,
            *_LAUNCH,
            refused.ScalingGroupOverLimitError,
            refused.PoliciesOverLimitError,
        ),
        details="The group wants `minEntities` servers from then on. The state in the answer is "
        "the one before anything is built. `Location` is the group.",
    ),
    ("GET", GROUP): Operation(
        "Groups",
        "showGroup",
        "Show a group with everything that belongs to it.",
        200,
        "group.group_answer",
        query=("webhooks",),
        refusals=_NO_GROUP,
    ),
    ("DELETE", GROUP): Operation(
        "Groups",
        "deleteGroup",
        "Delete a group that wants no servers, or any group by force.",
        204,
        query=("force",),
        refusals=(InvalidQueryArgumentError, *_NO_GROUP, refused.GroupNotEmptyError),
        details="The group is gone at once; its servers are drained and deleted afterwards.",
    ),
    ("GET", f"{GROUP}/state"): Operation(
        "Groups",
        "showState",
        "Show how many servers there are and shall be.",
        200,
        "group.state_answer",
        refusals=_NO_GROUP,
        details="`activeCapacity` and `pendingCapacity` always add up to `desiredCapacity`.",
    ),
    ("GET", f"{GROUP}/config"): Operation(
        "Groups", "showConfig", "Show the config.", 200, "group.config_answer", refusals=_NO_GROUP
    ),
    ("PUT", f"{GROUP}/config"): Operation(
        "Groups",
        "setConfig",
        "Replace the config.",
        204,
        body=("group.config", A_CONFIG),
        refusals=(
            *_BODY,
            refused.InvalidMinEntities,
            *_NO_GROUP,
            refused.TenantSuspendedError,
        ),
        details="The desired capacity is brought within the new bounds at once, cooldowns or not.",
    ),
    ("GET", f"{GROUP}/launch"): Operation(
        "Groups",
        "showLaunch",
        "Show the launch config as it was sent.",
        200,
        "launch.launch_answer",
        refusals=_NO_GROUP,
    ),
    ("PUT", f"{GROUP}/launch"): Operation(
        "Groups",
        "setLaunch",
        "Replace the launch config.",
        204,
        body=("launch.launch", A_LAUNCH),
        refusals=(*_BODY, *_LAUNCH, *_NO_GROUP),
        details="Servers made from then on follow it; those that exist stay as they are.",
    ),
    ("POST", f"{GROUP}/pause"): Operation(
        "Groups", "pauseGroup", "Stop all converging of the group.", 204, refusals=_NO_GROUP
    ),
    ("POST", f"{GROUP}/resume"): Operation(
        "Groups", "resumeGroup", "Let the group converge again.", 204, refusals=_NO_GROUP
    ),
    ("POST", f"{GROUP}/converge"): Operation(
        "Groups",
        "convergeGroup",
        "Compare what is wanted with what is, now.",
        204,
        refusals=(*_NO_GROUP, refused.GroupPausedError, refused.TenantSuspendedError),
    ),
    ("GET", f"{GROUP}/activities"): Operation(
        "Groups",
        "listActivities",
        "List what happened to the group, newest first.",
        200,
        "group.activities_answer",
        query=_PAGE,
        refusals=(InvalidQueryArgumentError, *_NO_GROUP),
    ),
    ("GET", f"{GROUP}/notify-secret"): Operation(
        "Groups",
        "showNotifySecret",
        "Show the key that signs what the group tells your own webhooks.",
        200,
        "group.notify_secret_answer",
        refusals=_NO_GROUP,
    ),
}

_SERVERS: Mapping[tuple[str, str], Operation] = {
    ("GET", f"{GROUP}/servers"): Operation(
        "Servers",
        "listServers",
        "Never offered; the state of the group names its servers.",
        501,
        query=_PAGE,
        refusals=(InvalidQueryArgumentError, NotOfferedError),
    ),
    ("GET", f"{GROUP}/servers/<server>"): Operation(
        "Servers", "showServer", "Never offered.", 501, refusals=(NotOfferedError,)
    ),
    ("DELETE", f"{GROUP}/servers/<server>"): Operation(
        "Servers",
        "removeServer",
        "Take a server out of the group.",
        202,
        query=("replace", "purge"),
        refusals=(
            InvalidQueryArgumentError,
            *_NO_GROUP,
            refused.TenantSuspendedError,
            refused.ServerNotFoundError,
            refused.CannotDeleteServerBelowMinError,
        ),
    ),
}

_POLICIES: Mapping[tuple[str, str], Operation] = {
    ("GET", POLICIES): Operation(
        "Policies",
        "listPolicies",
        "List the group's policies.",
        200,
        "policy.list_answer",
        query=_PAGE,
        refusals=(InvalidQueryArgumentError, *_NO_GROUP),
    ),
    ("POST", POLICIES): Operation(
        "Policies",
        "createPolicies",
        "Add policies, all or none.",
        201,
        "policy.created_answer",
        body=("policy.new_policies", SOME_POLICIES),
        refusals=(*_BODY, *_NO_GROUP, refused.PoliciesOverLimitError),
        details="`Location` is the collection.",
    ),
    ("GET", POLICY): Operation(
        "Policies", "showPolicy", "Show a policy.", 200, "policy.policy_answer", refusals=_NO_POLICY
    ),
    ("PUT", POLICY): Operation(
        "Policies",
        "replacePolicy",
        "Replace a policy; its id, webhooks and cooldown clock stay.",
        204,
        body=("policy.policy", A_POLICY),
        refusals=(*_BODY, *_NO_POLICY),
        details="Its `type` cannot change.",
    ),
    ("DELETE", POLICY): Operation(
        "Policies",
        "deletePolicy",
        "Delete a policy and its webhooks.",
        204,
        refusals=_NO_POLICY,
    ),
    ("POST", f"{POLICY}/execute"): Operation(
        "Policies",
        "executePolicy",
        "Execute a policy now.",
        202,
        "common.empty",
        refusals=(
            *_NO_POLICY,
            refused.TenantSuspendedError,
            refused.GroupPausedError,
            refused.CannotExecutePolicyError,
        ),
        details="The decision is durable when the answer arrives, and the state shows the new "
        "`desiredCapacity`; servers follow.",
    ),
}

_WEBHOOKS: Mapping[tuple[str, str], Operation] = {
    ("GET", WEBHOOKS): Operation(
        "Webhooks",
        "listWebhooks",
        "List a policy's webhooks.",
        200,
        "webhook.list_answer",
        query=_PAGE,
        refusals=(InvalidQueryArgumentError, *_NO_POLICY),
    ),
    ("POST", WEBHOOKS): Operation(
        "Webhooks",
        "createWebhooks",
        "Add webhooks, all or none.",
        201,
        "webhook.created_answer",
        body=("webhook.new_webhooks", SOME_WEBHOOKS),
        refusals=(*_BODY, *_NO_POLICY, refused.WebhooksOverLimitError),
        details="`Location` is the collection.",
    ),
    ("GET", WEBHOOK): Operation(
        "Webhooks",
        "showWebhook",
        "Show a webhook.",
        200,
        "webhook.webhook_answer",
        refusals=_NO_WEBHOOK,
    ),
    ("PUT", WEBHOOK): Operation(
        "Webhooks",
        "replaceWebhook",
        "Replace a webhook's name and metadata; its capability stays.",
        204,
        body=("webhook.webhook", A_WEBHOOK),
        refusals=(*_BODY, *_NO_WEBHOOK),
    ),
    ("DELETE", WEBHOOK): Operation(
        "Webhooks", "deleteWebhook", "Delete a webhook.", 204, refusals=_NO_WEBHOOK
    ),
    ("POST", CAPABILITY): Operation(
        "Webhooks",
        "executeCapability",
        "Execute the policy behind a webhook.",
        202,
        details="Takes any body of any type and ignores it. 202 whatever comes of it, so that "
        "nobody learns anything by guessing.",
        public=True,
    ),
}

_REST: Mapping[tuple[str, str], Operation] = {
    ("GET", f"{TENANT}/limits"): Operation(
        "Limits",
        "showLimits",
        "Show how much the tenant may have, and how fast it may call.",
        200,
        "common.limits",
        details="In XML, without the rates, for whoever mentions `xml` in `Accept`.",
    ),
    ("GET", "/"): Operation("Operation", "showRoot", "Say nothing: it lives.", 200, public=True),
    ("GET", "/health"): Operation(
        "Operation",
        "showHealth",
        "Tell how the process and what it depends on are.",
        200,
        "common.health",
        details="200 even if something is wrong: read `healthy`.",
        public=True,
    ),
    ("GET", DOCUMENT): Operation(
        "Operation",
        "showDocument",
        "Show this document.",
        200,
        "common.document",
        public=True,
    ),
}

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    **_GROUPS,
    **_SERVERS,
    **_POLICIES,
    **_WEBHOOKS,
    **_REST,
}
"""By method and path, as in ``Route``."""
