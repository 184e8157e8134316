"""Tells twistd that there is an ``otter`` to run."""

from twisted.application.service import ServiceMaker

otter = ServiceMaker(
    "Otter",
    "otter.app.plugin",
    "Autoscaling for OpenStack-style clouds.",
    "otter",
)
