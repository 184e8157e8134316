"""Request bodies for the OpenAPI document: each follows its schema, which a test makes sure of."""

from typing import Any

A_CONFIG: Any = {
    "name": "web tier",
    "cooldown": 60,
    "minEntities": 2,
    "maxEntities": 10,
    "metadata": {"owner": "shop"},
}

A_LAUNCH: Any = {
    "type": "launch_server",
    "args": {
        "server": {
            "name": "web",
            "flavorRef": "2",
            "imageRef": "9c7e0b5e-7b64-4d6b-8a55-0a4f6f6f2a01",
        },
        "loadBalancers": [{"loadBalancerId": 4410, "port": 8000}],
        "draining_timeout": 30,
    },
}

A_POLICY: Any = {"name": "grow", "type": "webhook", "change": 2, "cooldown": 30}

SOME_POLICIES: Any = [
    A_POLICY,
    {
        "name": "night shrink",
        "type": "schedule",
        "args": {"cron": "30 22 * * 1-5"},
        "changePercent": -25,
        "cooldown": 0,
    },
]

A_GROUP: Any = {
    "groupConfiguration": A_CONFIG,
    "launchConfiguration": A_LAUNCH,
    "scalingPolicies": [A_POLICY],
}

A_WEBHOOK: Any = {"name": "pager", "metadata": {"team": "operations"}}

SOME_WEBHOOKS: Any = [A_WEBHOOK, {"name": "by hand"}]
