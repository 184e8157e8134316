"""``otter webhook``: URLs that run a policy without a token."""

from argparse import ArgumentParser

from otter.cli import bodies
from otter.cli.commands import options
from otter.cli.commands.options import Command
from otter.cli.context import Context
from otter.cli.display import columns

DISCREET = "Whoever knows the URL can run the policy: treat it like a password."


def add_to(commands: options.Group) -> None:
    """Add ``webhook`` and what it can do."""
    family = options.add_family(commands, "webhook", "URLs that run a policy without a token")
    for command in COMMANDS:
        command.add_to(family)


def _add_policy(parser: ArgumentParser) -> None:
    parser.add_argument("group", metavar="GROUP", help="id or name of the group")
    parser.add_argument("policy", metavar="POLICY", help="id or name of the policy")


def _add_webhook(parser: ArgumentParser) -> None:
    _add_policy(parser)
    parser.add_argument("webhook", metavar="WEBHOOK", help="id or name of the webhook")


def _add_list(parser: ArgumentParser) -> None:
    _add_policy(parser)
    options.add_limit(parser)


def _add_create(parser: ArgumentParser) -> None:
    _add_policy(parser)
    parser.add_argument("name", metavar="NAME", help="what to call it")
    options.add_metadata(parser, exists=False)


def _add_update(parser: ArgumentParser) -> None:
    _add_webhook(parser)
    parser.add_argument("--name", metavar="NAME", help="what to call it")
    options.add_metadata(parser, exists=True)


def list_webhooks(context: Context) -> None:
    """Print a policy's webhooks."""
    path = f"{context.find.policy(context['group'], context['policy'])}/webhooks"
    context.list(list(context.api.items(path, "webhooks", context["limit"])), columns.WEBHOOKS)


def show_webhook(context: Context) -> None:
    """Print one webhook."""
    context.show(context.api.part(_path(context), "webhook"), columns.WEBHOOKS)


def create_webhook(context: Context) -> None:
    """Make a webhook and print it."""
    path = f"{context.find.policy(context['group'], context['policy'])}/webhooks"
    body = bodies.webhook_body(bodies.wish_of(bodies.WebhookWish, context.options), {})
    context.show(context.api.create_one(path, "webhooks", body), columns.WEBHOOKS)


def update_webhook(context: Context) -> None:
    """Change what was named of a webhook, and print it."""
    path = _path(context)
    before = context.api.part(path, "webhook")
    wish = bodies.wish_of(bodies.WebhookWish, context.options)
    context.api.call("PUT", path, bodies.webhook_body(wish, before))
    context.show(context.api.part(path, "webhook"), columns.WEBHOOKS)


def delete_webhook(context: Context) -> None:
    """Remove a webhook."""
    context.api.call("DELETE", _path(context))


def _path(context: Context) -> str:
    return context.find.webhook(context["group"], context["policy"], context["webhook"])


COMMANDS = (
    Command(
        "list",
        "list a policy's webhooks",
        list_webhooks,
        ("webhook list web grow", "webhook list web grow -f value -c url"),
        _add_list,
        DISCREET,
        columns.WEBHOOKS,
    ),
    Command(
        "show",
        "show a webhook",
        show_webhook,
        ("webhook show web grow pager", "webhook show web grow pager -f value -c url"),
        _add_webhook,
        DISCREET,
        columns.WEBHOOKS,
    ),
    Command(
        "create",
        "create a webhook",
        create_webhook,
        (
            "webhook create web grow pager",
            "webhook create web grow pager --metadata team=ops -f value -c url",
        ),
        _add_create,
        DISCREET,
        columns.WEBHOOKS,
    ),
    Command(
        "update",
        "change a webhook's name or metadata",
        update_webhook,
        (
            "webhook update web grow pager --name alarm",
            "webhook update web grow pager --no-metadata --metadata team=web",
        ),
        _add_update,
        "Its URL stays.",
        columns.WEBHOOKS,
    ),
    Command(
        "delete",
        "delete a webhook; its URL then does nothing",
        delete_webhook,
        ("webhook delete web grow pager",),
        _add_webhook,
    ),
)
