"""Row 17 of the route table: what a tenant may have and how fast (rest-api.md 3.17)."""

from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from otter.controller.interface import Controller, Limits
from otter.rest.answers import XML, Answer, json_answer
from otter.rest.calls import TENANT, Call, Route
from otter.rest.clock import clock_time
from otter.rest.config import RateLimit
from otter.rest.formatting import timestamp

NAMESPACE = "http://docs.openstack.org/common/api/v1.0"


def absolute_limits(limits: Limits) -> dict[str, int]:
    """Return the limits by the names the wire gives them."""
    return {
        "maxGroups": limits.max_groups,
        "maxPoliciesPerGroup": limits.max_policies_per_group,
        "maxWebhooksPerPolicy": limits.max_webhooks_per_policy,
    }


def rate_document(rate: RateLimit, now: datetime) -> dict[str, Any]:
    """Return one rate limit as it stands for a caller who has used nothing of it."""
    allowance = {
        "verb": "ALL",
        "unit": rate.unit,
        "value": rate.value,
        "remaining": rate.value,
        "next-available": timestamp(now),
    }
    return {"uri": rate.uri, "regex": rate.regex, "limit": [allowance]}


def limits_xml(limits: Limits) -> bytes:
    """Return the absolute limits for those who still ask for XML."""
    root = ET.Element("limits", {"xmlns": NAMESPACE})
    absolute = ET.SubElement(root, "absolute")
    for name, value in absolute_limits(limits).items():
        ET.SubElement(absolute, "limit", {"name": name, "value": str(value)})
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode").encode()
    )


@frozen
class LimitsResource:
    """Answers for limits."""

    controller: Controller
    rates: tuple[RateLimit, ...]
    clock: IReactorTime

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (Route("GET", f"{TENANT}/limits", self.show),)

    async def show(self, call: Call, tenant: str) -> Answer:
        """Answer in XML when the caller mentions it, else in JSON."""
        limits = self.controller.limits
        if "xml" in call.accept:
            return Answer(200, limits_xml(limits), content_type=XML)
        now = clock_time(self.clock)
        document = {
            "rate": [rate_document(rate, now) for rate in self.rates],
            "absolute": absolute_limits(limits),
        }
        return json_answer(200, {"limits": document})
