"""``otter activity``, ``server``, ``limits`` and ``execute``."""

from argparse import ArgumentParser

from otter.cli.commands import options
from otter.cli.commands.options import Command
from otter.cli.context import Context
from otter.cli.display import columns
from otter.cli.exits import UsageError
from otter.cli.remote.api import path_of
from otter.cli.remote.endpoints import require_url
from otter.cli.remote.refusals import refusal

ACTIVITIES_USUAL = 50


def add_to(commands: options.Group) -> None:
    """Add what has no family of its own, or a small one."""
    activities = options.add_family(commands, "activity", "what happened to a group, and why")
    ACTIVITIES.add_to(activities)
    servers = options.add_family(commands, "server", "servers of a group")
    DELETE_SERVER.add_to(servers)
    LIMITS.add_to(commands)
    EXECUTE.add_to(commands)


def _add_activities(parser: ArgumentParser) -> None:
    parser.add_argument("group", metavar="GROUP", help="id or name")
    options.add_limit(parser, ACTIVITIES_USUAL)


def _add_delete_server(parser: ArgumentParser) -> None:
    parser.add_argument("group", metavar="GROUP", help="id or name of the group")
    parser.add_argument("server", metavar="SERVER", help="id of the server")
    parser.add_argument(
        "--no-replace", action="store_true", help="want one server less instead of a new one"
    )
    parser.add_argument(
        "--no-purge",
        action="store_true",
        help="let it run on, outside of the group and its load balancers",
    )


def _add_execute(parser: ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="a webhook's URL; - reads it from input")


def list_activities(context: Context) -> None:
    """Print a group's history, newest first."""
    path = f"{context.find.group(context['group'])}/activities"
    found = list(context.api.items(path, "activities", context["limit"]))
    context.list(found, columns.ACTIVITIES)


def delete_server(context: Context) -> None:
    """Take a server out of its group."""
    path = context.find.group(context["group"]) + path_of("servers", context["server"])
    query = {
        "replace": "false" if context["no_replace"] else "true",
        "purge": "false" if context["no_purge"] else "true",
    }
    context.api.call("DELETE", path, query=query)


def show_limits(context: Context) -> None:
    """Print how much the tenant may have and ask."""
    limits = context.api.part("/limits", "limits")
    if context["format"] in {"json", "yaml"} and not context["column"]:
        context.show(limits, columns.LIMITS)
    else:
        context.list(columns.limit_rows(limits), columns.LIMITS)


def execute_url(context: Context) -> None:
    """Post to a capability URL, as any alarm would."""
    url = context["url"]
    if url == "-":
        url = context.terminal.read("-").strip()
    if "/execute/" not in require_url(url):
        raise UsageError("a webhook's URL has /execute/ in it; otter webhook show prints it")
    reply = context.anonymous().send("POST", url, anonymous=True)
    if not 200 <= reply.status < 300:
        raise refusal(reply.status, reply.text)


ACTIVITIES = Command(
    "list",
    "list what happened to a group, newest first",
    list_activities,
    ("activity list web", "activity list web --limit 500 -f json"),
    _add_activities,
    columns=columns.ACTIVITIES,
)
DELETE_SERVER = Command(
    "delete",
    "take a server out of its group; a new one takes its place",
    delete_server,
    (
        "server delete web SERVER",
        "server delete web SERVER --no-replace",
        "server delete web SERVER --no-purge",
    ),
    _add_delete_server,
)
LIMITS = Command(
    "limits",
    "show how many groups, policies and requests are allowed",
    show_limits,
    ("limits", "limits -f json"),
    columns=columns.LIMITS,
)
EXECUTE = Command(
    "execute",
    "run a policy by a webhook's URL, without credentials",
    execute_url,
    ("execute https://autoscale.example.com/v1.0/execute/1/HASH/", "execute - < url.txt"),
    _add_execute,
    "The service accepts every hash and tells strangers nothing: "
    "otter activity list says what came of it.",
    credentials=False,
)
