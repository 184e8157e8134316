"""Row 17 of the route table: what a tenant may have and how fast (rest-api.md 3.17)."""

from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from otter.controller.interface import Controller, Limits
from otter.rest.answers import XML, Answer, json_answer
from otter.rest.calls import TENANT, Call, Route
from otter.rest.formatting import timestamp
from otter.rest.rates import RateLimiter, Standing
from otter.timing import utc_now

NAMESPACE = "http://docs.openstack.org/common/api/v1.0"


@frozen
class RateName:
    """How ``/limits`` calls a rate; clients know it by these very texts."""

    uri: str
    regex: str
    unit: str


TENANT_RATE = RateName("/v1.0/tenantId/*", r"/v1\.0/([A-Za-z0-9:]+)/.+", "MINUTE")
EXECUTE_RATE = RateName("/v1.0/execute/*", r"/v1\.0/execute/(.*)", "SECOND")


def absolute_limits(limits: Limits) -> dict[str, int]:
    """Return the limits by the names the wire gives them."""
    return {
        "maxGroups": limits.max_groups,
        "maxPoliciesPerGroup": limits.max_policies_per_group,
        "maxWebhooksPerPolicy": limits.max_webhooks_per_policy,
    }


def rate_document(
    name: RateName, value: int, standing: Standing | None, now: datetime
) -> dict[str, Any]:
    """Return one rate and how the caller stands with it; one that is not enforced is all there."""
    found = standing or Standing(value, timedelta())
    allowance = {
        "verb": "ALL",
        "unit": name.unit,
        "value": value,
        "remaining": found.remaining,
        "next-available": timestamp(now + found.wait),
    }
    return {"uri": name.uri, "regex": name.regex, "limit": [allowance]}


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
    limiter: RateLimiter
    clock: IReactorTime

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (Route("GET", f"{TENANT}/limits", self.show),)

    async def show(self, call: Call, tenant: str) -> Answer:
        """Answer in XML when the caller mentions it, else in JSON."""
        limits = self.controller.limits
        if "xml" in call.accept:
            return Answer(200, limits_xml(limits), content_type=XML)
        document = {"rate": self._rates(tenant), "absolute": absolute_limits(limits)}
        return json_answer(200, {"limits": document})

    def _rates(self, tenant: str) -> list[dict[str, Any]]:
        """
        Return the rates that have a value, also while none is enforced.

        Of executions the one of a webhook not hit lately is shown: which webhook is not asked.
        """
        now = utc_now(self.clock)
        own, executions = self.limiter.standings(tenant)
        rates = self.limiter.rates
        shown = (
            (TENANT_RATE, rates.tenant_per_minute, own),
            (EXECUTE_RATE, rates.execute_per_second, executions),
        )
        return [rate_document(name, value, how, now) for name, value, how in shown if value]
