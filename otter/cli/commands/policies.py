"""``otter policy``: what changes a group's desired capacity, by hand or on a schedule."""

from argparse import ArgumentParser

from otter.cli import bodies, values
from otter.cli.commands import options, settling
from otter.cli.commands.options import Command
from otter.cli.context import Context
from otter.cli.display import columns


def add_to(commands: options.Group) -> None:
    """Add ``policy`` and what it can do."""
    family = options.add_family(commands, "policy", "what changes how many servers a group wants")
    for command in COMMANDS:
        command.add_to(family)


def _add_group(parser: ArgumentParser) -> None:
    parser.add_argument("group", metavar="GROUP", help="id or name of the group")


def _add_policy(parser: ArgumentParser) -> None:
    _add_group(parser)
    parser.add_argument("policy", metavar="POLICY", help="id or name of the policy")


def _add_list(parser: ArgumentParser) -> None:
    _add_group(parser)
    options.add_limit(parser)


def _add_create(parser: ArgumentParser) -> None:
    _add_group(parser)
    parser.add_argument("name", metavar="NAME", help="what to call it")
    _add_body(parser, needed=True)


def _add_update(parser: ArgumentParser) -> None:
    _add_policy(parser)
    parser.add_argument("--name", metavar="NAME", help="what to call it")
    _add_body(parser, needed=False)


def _add_execute(parser: ArgumentParser) -> None:
    _add_policy(parser)
    options.add_waiting(parser, "the group has the servers it then wants")


def _add_body(parser: ArgumentParser, *, needed: bool) -> None:
    change = parser.add_mutually_exclusive_group(required=needed)
    change.add_argument(
        "--change", type=values.whole, metavar="N", help="so many more, or fewer: 2, -1"
    )
    change.add_argument(
        "--percent", type=values.number, metavar="P", help="so many per cent more, or fewer"
    )
    change.add_argument("--desired", type=values.whole, metavar="N", help="exactly so many")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--at", metavar="TIME", help="once by itself: 2031-03-01T08:00:00Z")
    when.add_argument("--cron", metavar="LINE", help='again and again: "30 22 * * 1-5", in UTC')
    parser.add_argument(
        "--cooldown",
        type=values.number,
        metavar="SECONDS",
        help="until it may run again" + (", 0 if not given" if needed else ""),
    )


def list_policies(context: Context) -> None:
    """Print a group's policies."""
    path = f"{context.find.group(context['group'])}/policies"
    context.list(list(context.api.items(path, "policies", context["limit"])), columns.POLICIES)


def show_policy(context: Context) -> None:
    """Print one policy."""
    context.show(context.api.part(_path(context), "policy"), columns.POLICIES)


def create_policy(context: Context) -> None:
    """Make a policy and print it."""
    path = f"{context.find.group(context['group'])}/policies"
    body = bodies.policy_body(bodies.wish_of(bodies.PolicyWish, context.options), {})
    context.show(context.api.create_one(path, "policies", body), columns.POLICIES)


def update_policy(context: Context) -> None:
    """Change what was named of a policy, and print it."""
    path = _path(context)
    before = context.api.part(path, "policy")
    wish = bodies.wish_of(bodies.PolicyWish, context.options)
    context.api.call("PUT", path, bodies.policy_body(wish, before))
    context.show(context.api.part(path, "policy"), columns.POLICIES)


def delete_policy(context: Context) -> None:
    """Remove a policy."""
    context.api.call("DELETE", _path(context))


def execute_policy(context: Context) -> None:
    """Run a policy."""
    path = _path(context)
    group = path.partition("/policies/")[0]
    settling.act(context, group, f"{path}/execute")


def _path(context: Context) -> str:
    return context.find.policy(context["group"], context["policy"])


COMMANDS = (
    Command(
        "list",
        "list a group's policies",
        list_policies,
        ("policy list web", "policy list web -f value -c id -c name"),
        _add_list,
        columns=columns.POLICIES,
    ),
    Command(
        "show",
        "show a policy",
        show_policy,
        ("policy show web grow",),
        _add_policy,
        columns=columns.POLICIES,
    ),
    Command(
        "create",
        "create a policy",
        create_policy,
        (
            "policy create web grow --change 2 --cooldown 60",
            "policy create web shrink --percent -25",
            'policy create web night --desired 1 --cron "30 22 * * 1-5"',
            "policy create web launch --desired 10 --at 2031-03-01T08:00:00Z",
        ),
        _add_create,
        columns=columns.POLICIES,
    ),
    Command(
        "update",
        "change a policy",
        update_policy,
        ("policy update web grow --change 3", 'policy update web night --cron "0 23 * * *"'),
        _add_update,
        "What is not named stays, and so do its webhooks and their URLs.",
        columns=columns.POLICIES,
    ),
    Command(
        "delete",
        "delete a policy with its webhooks",
        delete_policy,
        ("policy delete web grow",),
        _add_policy,
    ),
    Command(
        "execute",
        "run a policy now",
        execute_policy,
        ("policy execute web grow", "policy execute web grow --wait --timeout 300"),
        _add_execute,
        "The exit status is 1 if a cooldown forbids it or nothing would change.",
    ),
)
