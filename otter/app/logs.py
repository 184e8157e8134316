"""
One line of JSON per event on standard output, for ``twistd --logger otter.app.logs.json_log``.

``event`` is the event's name as the code gives it (``cycle.postponed``), ``text`` the whole
sentence; whatever the event is bound to (``tenant_id``, ``group_id``, …) becomes a key of its own.
"""

import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import simplejson
from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
)

CHATTY = ("twisted.web.client", "twisted.web.server", "otter.rest.site.ApiSite")
"""What tells of every connection it opens and closes; only warnings of these are kept."""

KEY = str | int | float | bool


def json_log(out: TextIO | None = None) -> ILogObserver:
    """Return an observer that writes to ``out``, standard output if none is given."""
    predicate = LogLevelFilterPredicate(LogLevel.info)
    for namespace in CHATTY:
        predicate.setLogLevelForNamespace(namespace, LogLevel.warn)
    observer = FileLogObserver(out or sys.stdout, line)
    return FilteringLogObserver(observer, [predicate])


def line(event: LogEvent) -> str:
    """Return the event as one line of JSON."""
    document: dict[str, Any] = {
        "time": datetime.fromtimestamp(event["log_time"], UTC).isoformat(),
        "level": event["log_level"].name if "log_level" in event else "info",
        "system": event.get("log_namespace") or event.get("log_system") or "-",
    }
    name = str(event.get("log_format") or "").split(" ")[0].rstrip(":")
    if "." in name and "{" not in name:
        document["event"] = name
    document["text"] = formatEvent(event)
    for key, value in event.items():
        known = key.startswith("log_") or key in LEGACY_KEYS or key in document
        if not known and isinstance(value, KEY):
            document[key] = value
    failure = event.get("log_failure")
    if failure is not None:
        document["traceback"] = failure.getTraceback()
    return simplejson.dumps(document, default=str) + "\n"


LEGACY_KEYS = frozenset({"time", "system", "message", "isError", "why", "format", "logLevel"})
"""What the old logging system adds to every event."""
