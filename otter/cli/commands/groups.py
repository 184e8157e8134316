"""``otter group``: make, look at, change and remove scaling groups."""

from argparse import ArgumentParser

from otter.cli import bodies, values
from otter.cli.commands import options, settling
from otter.cli.commands.options import Command
from otter.cli.context import Context
from otter.cli.display import columns
from otter.cli.exits import NotReachedError
from otter.cli.remote.api import Document, path_of
from otter.cli.waiting import errors_of


def add_to(commands: options.Group) -> None:
    """Add ``group`` and what it can do."""
    family = options.add_family(commands, "group", "scaling groups")
    for command in COMMANDS:
        command.add_to(family)


def _add_group(parser: ArgumentParser) -> None:
    parser.add_argument("group", metavar="GROUP", help="id or name")


def _add_create(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="what to call it")
    parser.add_argument(
        "--from-file", metavar="FILE", help="a JSON body to begin with; - is standard input"
    )
    options.add_metadata(parser, exists=False)
    _add_config(parser)
    _add_launch(parser)
    _add_waiting(parser)


def _add_update(parser: ArgumentParser) -> None:
    _add_group(parser)
    parser.add_argument("--name", metavar="NAME", help="what to call it")
    options.add_metadata(parser, exists=True)
    _add_config(parser)
    _add_launch(parser)
    _add_waiting(parser)


def _add_delete(parser: ArgumentParser) -> None:
    _add_group(parser)
    parser.add_argument("--force", action="store_true", help="even if the group wants servers")
    options.add_waiting(parser, "the cloud lists no server of the group any more")


def _add_converge(parser: ArgumentParser) -> None:
    _add_group(parser)
    _add_waiting(parser)


def _add_waiting(parser: ArgumentParser) -> None:
    options.add_waiting(parser, "the group has the servers it wants")


def _add_config(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("how many")
    whole = values.whole
    group.add_argument("--min", dest="minimum", type=whole, metavar="N", help="servers at least")
    group.add_argument("--max", dest="maximum", type=whole, metavar="N", help="servers at most")
    group.add_argument(
        "--cooldown", type=whole, metavar="SECONDS", help="between two policies, 0 if not given"
    )


def _add_launch(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("what to launch")
    group.add_argument("--image", metavar="ID", help="to boot from")
    group.add_argument("--flavor", metavar="ID", help="how large")
    group.add_argument("--server-name", metavar="NAME", help="how names of servers begin")
    group.add_argument("--key-name", metavar="NAME", help="the key pair to log in with")
    group.add_argument(
        "--network",
        action="append",
        metavar="ID",
        help="to be attached to; may be given several times",
    )
    group.add_argument("--user-data", metavar="FILE", help="given to each server as it boots")
    group.add_argument(
        "--load-balancer",
        type=values.load_balancer,
        action="append",
        metavar="ID:PORT",
        help="to be a member of; may be given several times",
    )
    group.add_argument(
        "--draining-timeout",
        type=values.number,
        metavar="SECONDS",
        help="how long a server that leaves may finish its connections",
    )
    group.add_argument(
        "--notify",
        action="append",
        metavar="URL",
        help="told when servers come and go; may be given several times",
    )


def list_groups(context: Context) -> None:
    """Print all groups."""
    context.list(list(context.api.items("/groups", "groups", context["limit"])), columns.GROUPS)


def show_group(context: Context) -> None:
    """Print one group with everything about it."""
    path = context.find.group(context["group"])
    context.show(context.api.part(path, "group"), columns.GROUP)


def show_state(context: Context) -> None:
    """Print a group's capacities."""
    path = context.find.group(context["group"])
    context.show(settling.read_state(context.api, path), columns.STATE)


def create_group(context: Context) -> None:
    """Make a group and print it."""
    base = {}
    if context["from_file"]:
        base = bodies.read_body(context.terminal.read(context["from_file"]))
    body = bodies.new_group(_wish(context), base)
    group = context.api.create("/groups", "group", body)
    if context["wait"]:
        context.terminal.say(f"group {group['id']} is created")
        group = _settled(context, group)
    context.show(group, columns.GROUP)


def _settled(context: Context, group: Document) -> Document:
    """
    Return a new group once it has its servers.

    :raises NotReachedError: it does not get them; its id is printed all the same.
    """
    path = path_of("groups", group["id"])
    try:
        settling.wait(context, path)
    except NotReachedError:
        context.show(context.api.part(path, "group"), columns.GROUP)
        raise
    return context.api.part(path, "group")


def update_group(context: Context) -> None:
    """Replace what was named, config before launch config, and print the group."""
    path = context.find.group(context["group"])
    before = context.api.part(path, "group")
    wish = _wish(context)
    errors = errors_of(before["state"])
    for part, key, make in (
        ("config", "groupConfiguration", bodies.group_config),
        ("launch", "launchConfiguration", bodies.launch_config),
    ):
        body = make(wish, before[key])
        if body != before[key]:
            context.api.call("PUT", f"{path}/{part}", body)
    if context["wait"]:
        settling.wait(context, path, errors)
    context.show(context.api.part(path, "group"), columns.GROUP)


def delete_group(context: Context) -> None:
    """Remove a group."""
    path = context.find.group(context["group"])
    gone = settling.servers_gone(context.compute, path) if context["wait"] else None
    query = {"force": "true"} if context["force"] else None
    context.api.call("DELETE", path, query=query)
    if gone is not None:
        context.waiter().wait(gone)


def pause_group(context: Context) -> None:
    """Have nothing done to a group."""
    context.api.call("POST", f"{context.find.group(context['group'])}/pause")


def resume_group(context: Context) -> None:
    """Have a group looked after again."""
    context.api.call("POST", f"{context.find.group(context['group'])}/resume")


def converge_group(context: Context) -> None:
    """Have a group compared with the cloud now."""
    path = context.find.group(context["group"])
    settling.act(context, path, f"{path}/converge")


def _wish(context: Context) -> bodies.GroupWish:
    file = context["user_data"]
    data = None if file is None else context.terminal.read_bytes(file)
    return bodies.wish_of(bodies.GroupWish, {**context.options, "user_data": data})


COMMANDS = (
    Command(
        "list",
        "list the groups",
        list_groups,
        ("group list", "group list --format value --column id", "group list -f json --limit 10"),
        options.add_limit,
        columns=columns.GROUPS,
    ),
    Command(
        "show",
        "show a group with its configuration and policies",
        show_group,
        ("group show web", "group show web --format json"),
        _add_group,
        columns=columns.GROUP,
    ),
    Command(
        "state",
        "show how many servers a group has and wants",
        show_state,
        ("group state web", "group state web -f value -c active"),
        _add_group,
        columns=columns.STATE,
    ),
    Command(
        "create",
        "create a group",
        create_group,
        (
            "group create web --min 2 --max 6 --image IMAGE --flavor FLAVOR --wait",
            "group create web --image IMAGE --flavor FLAVOR --load-balancer 4410:8000",
            "group create --from-file group.json --min 1",
            "group create web --flavor FLAVOR --from-file - < group.json",
        ),
        _add_create,
        "A file holds a body as the API takes it: groupConfiguration, launchConfiguration and, "
        "if you like, scalingPolicies. Options are laid over it.",
        columns=columns.GROUP,
    ),
    Command(
        "update",
        "change a group's configuration, or what it launches",
        update_group,
        (
            "group update web --min 2 --max 10",
            "group update web --image IMAGE",
            "group update web --load-balancer 4410:8000 --load-balancer 4411:8443",
        ),
        _add_update,
        "What is not named stays; options that may be given several times replace their list. "
        "Servers that exist are left as they are.",
        columns=columns.GROUP,
    ),
    Command(
        "delete",
        "delete a group",
        delete_group,
        ("group delete web", "group delete web --force --wait --timeout 300"),
        _add_delete,
    ),
    Command(
        "pause",
        "do nothing to a group until it is resumed",
        pause_group,
        ("group pause web",),
        _add_group,
    ),
    Command(
        "resume",
        "look after a paused group again",
        resume_group,
        ("group resume web",),
        _add_group,
    ),
    Command(
        "converge",
        "compare a group with the cloud now",
        converge_group,
        ("group converge web", "group converge web --wait --timeout 120"),
        _add_converge,
        "Servers that are missing are replaced, and a group in ERROR tries again; "
        "with --wait it gets the time to leave ERROR.",
    ),
)
