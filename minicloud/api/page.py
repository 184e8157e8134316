"""
The two pages of the cloud itself: its health, and what runs, for people.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from klein import Klein
from twisted.logger import Logger
from twisted.web.server import Request

from minicloud.api.control_documents import show_server
from minicloud.api.errors import ApiError
from minicloud.api.http import Answer, Route, json_answer, make_app
from minicloud.control import Control

MAX_ROWS = 500

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } caption { text-align: left; font-weight: 600 }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884 }
:root { color-scheme: light dark }
"""


class Pages:
    """Routes at the root of the cloud."""

    log = Logger()

    def __init__(self, control: Control) -> None:
        self._control = control

    async def health(self, _: Request) -> Answer:
        """Answer 200 with what every component holds, 503 if one of them fails."""
        try:
            found = await self._control.check_health()
        except Exception:  # noqa: BLE001  whatever is wrong with a component makes us unhealthy
            self.log.failure("health.failed")
            return json_answer({"healthy": False}, 503)
        return json_answer({"healthy": True, "components": found})

    async def status(self, _: Request) -> Answer:
        """Answer with a page of servers and load balancers."""
        servers = [show_server(server) for server in await self._control.list_servers()]
        balancers = self._control.balancers.describe()
        nodes: list[Mapping[str, Any]] = [
            {**node, "balancer": balancer["name"]}
            for balancer in balancers
            for node in _nodes(balancer)
        ]
        columns = ("name", "status", "task_state", "address", "project_id", "host", "fault", "id")
        body = (
            f"<h1>minicloud</h1><p>{len(servers)} servers, {len(balancers)} load balancers, "
            f"{html.escape(self._control.time.now().isoformat(timespec='seconds'))}</p>"
            + _table("Servers", columns, servers)
            + _table("Load balancers", ("id", "name", "status", "address", "port"), balancers)
            + _table(
                "Nodes",
                ("balancer", "address", "port", "condition", "status", "connections"),
                nodes,
            )
        )
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>minicloud</title>'
            f"<style>{_STYLE}</style>{body}</html>"
        )
        return Answer(200, page.encode(), "text/html; charset=utf-8")


def _nodes(balancer: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    found: Iterable[Mapping[str, Any]] = balancer["nodes"]
    return found


def _table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in columns)
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(row[c] or ''))}</td>" for c in columns) + "</tr>"
        for row in rows[:MAX_ROWS]
    )
    more = f"<p>and {len(rows) - MAX_ROWS} more</p>" if len(rows) > MAX_ROWS else ""
    return f"<table><caption>{title}</caption><tr>{head}</tr>{lines}</table>{more}"


def _render(error: ApiError) -> Answer:
    return json_answer({"error": {"status": error.status, "message": error.message}}, error.status)


def pages_app(control: Control) -> Klein:
    """Return what answers where no face is mounted."""
    pages = Pages(control)
    return make_app(
        (Route("GET", "/", pages.status), Route("GET", "/health", pages.health)), _render
    )
