"""``otter policy``, ``webhook``, ``activity``, ``server``, ``limits``, ``execute`` in memory."""

from twisted.trial.unittest import SynchronousTestCase

from otter.cli.documents import read_json
from tests.cli.scene import (
    CAPABILITY,
    GROUP,
    HASH,
    POLICY,
    WEBHOOK,
    Desk,
    Request,
    a_policy,
    a_state,
    a_webhook,
)

G = f"/groups/{GROUP}"
P = f"{G}/policies/{POLICY}"
W = f"{P}/webhooks/{WEBHOOK}"


class PolicyTests(SynchronousTestCase):
    """``otter policy …``."""

    def setUp(self) -> None:
        """Have one policy."""
        self.desk = Desk()
        self.desk.script.on(f"GET {G}/policies?limit=100", {"policies": [a_policy()]})
        self.desk.script.on(f"POST {G}/policies", {"policies": [a_policy()]}, status=201)
        self.desk.script.on(f"GET {P}", {"policy": a_policy()})
        self.desk.script.on(f"PUT {P}", status=204)
        self.desk.script.on(f"DELETE {P}", status=204)
        self.desk.script.on(f"POST {P}/execute", {}, status=202)

    def test_list(self) -> None:
        """What a policy does fits in one cell."""
        columns = ("-c", "name", "-c", "action")
        self.desk.type("policy", "list", GROUP, "-f", "value", *columns)

        self.assertEqual("grow\t+2\n", self.desk.out.getvalue())

    def test_create(self) -> None:
        """A percentage below zero is not taken for an option."""
        arguments = (
            "shrink",
            "--percent",
            "-12.50",
            "--cron",
            "30 22 * * 1-5",
            "--cooldown",
            "0.5",
        )
        status = self.desk.type("policy", "create", GROUP, *arguments)
        [sent] = self.desk.script.requests

        self.assertEqual(0, status)
        self.assertEqual(
            "[{'type': 'schedule', 'args': {'cron': '30 22 * * 1-5'}, 'name': 'shrink', "
            "'cooldown': Decimal('0.5'), 'changePercent': Decimal('-12.50')}]",
            str(sent.body),
        )
        self.assertIn(POLICY, self.desk.out.getvalue())

    def test_one_change_only(self) -> None:
        """Two ways of saying how much, or none, are wrong usage."""
        for arguments in (("--change", "1", "--desired", "2"), (), ("--at", "a", "--cron", "b")):
            with self.assertRaises(SystemExit) as ended:
                self.desk.type("policy", "create", GROUP, "p", *arguments)
            self.assertEqual(2, ended.exception.code)

    def test_update(self) -> None:
        """What is not named stays as it is."""
        self.desk.type("policy", "update", GROUP, POLICY, "--desired", "0")

        self.assertEqual(
            {"name": "grow", "type": "webhook", "desiredCapacity": 0, "cooldown": 30},
            self.desk.script.body_of(f"PUT {P}"),
        )

    def test_by_name(self) -> None:
        """Names are looked up first."""
        self.desk.type("policy", "delete", GROUP, "grow")

        self.assertEqual([f"GET {G}/policies?limit=100", f"DELETE {P}"], self.desk.script.lines)

    def test_execute(self) -> None:
        """Without waiting it is one request."""
        self.assertEqual(0, self.desk.type("policy", "execute", GROUP, POLICY))
        self.assertEqual([f"POST {P}/execute"], self.desk.script.lines)

    def test_execute_and_wait(self) -> None:
        """It is the group that is waited for."""
        states = [
            {"group": a_state(active, desired)} for active, desired in ((2, 2), (2, 4), (4, 4))
        ]
        self.desk.script.on(f"GET {G}/state", *states)

        self.assertEqual(0, self.desk.type("policy", "execute", GROUP, POLICY, "--wait"))
        self.assertEqual(
            "2 active, 2 pending, 4 desired\n4 active, 0 pending, 4 desired\n",
            self.desk.err.getvalue(),
        )

    def test_cooldown(self) -> None:
        """A cooldown is a refusal, not a lack of rights, though both are 403."""
        self.desk.script.answers.clear()
        self.desk.script.refuse(f"POST {P}/execute", 403, "CannotExecutePolicyError")

        self.assertEqual(1, self.desk.type("policy", "execute", GROUP, POLICY))


class WebhookTests(SynchronousTestCase):
    """``otter webhook …``."""

    def setUp(self) -> None:
        """Have one webhook."""
        self.desk = Desk()
        self.desk.script.on(f"GET {P}/webhooks?limit=100", {"webhooks": [a_webhook()]})
        self.desk.script.on(f"POST {P}/webhooks", {"webhooks": [a_webhook()]}, status=201)
        self.desk.script.on(f"GET {W}", {"webhook": a_webhook()})
        self.desk.script.on(f"PUT {W}", status=204)
        self.desk.script.on(f"DELETE {W}", status=204)

    def test_url(self) -> None:
        """The URL is what a webhook is for: list, show and create print it."""
        value = ("-f", "value", "-c", "url")
        for arguments in (("list", GROUP, POLICY), ("show", GROUP, POLICY, WEBHOOK)):
            self.desk.type("webhook", *arguments, *value)
        self.desk.type("webhook", "create", GROUP, POLICY, "pager", *value)

        self.assertEqual(f"{CAPABILITY}\n" * 3, self.desk.out.getvalue())

    def test_create(self) -> None:
        """Metadata is optional."""
        self.desk.type("webhook", "create", GROUP, POLICY, "pager", "--metadata", "team=ops")

        self.assertEqual(
            [{"name": "pager", "metadata": {"team": "ops"}}],
            self.desk.script.body_of(f"POST {P}/webhooks"),
        )

    def test_update(self) -> None:
        """The service wants both parts, so what was not said is repeated."""
        self.desk.type("webhook", "update", GROUP, POLICY, WEBHOOK, "--name", "alarm")

        self.assertEqual(
            {"name": "alarm", "metadata": {"team": "ops"}}, self.desk.script.body_of(f"PUT {W}")
        )

    def test_delete(self) -> None:
        """Nothing is printed."""
        self.assertEqual(0, self.desk.type("webhook", "delete", GROUP, POLICY, "pager"))
        self.assertEqual("", self.desk.out.getvalue())


class ExecuteTests(SynchronousTestCase):
    """``otter execute``."""

    def setUp(self) -> None:
        """Have a service that takes capability URLs, and nobody who could log in."""
        self.desk = Desk(broken=AssertionError("no credentials are needed"))
        self.desk.script.on(f"POST {CAPABILITY}", status=202)

    def test_url(self) -> None:
        """The request is anonymous, and no login is tried."""
        self.assertEqual(0, self.desk.type("execute", CAPABILITY))
        self.assertEqual([Request("POST", CAPABILITY, anonymous=True)], self.desk.script.requests)

    def test_standard_input(self) -> None:
        """On a command line others could read the URL."""
        desk = Desk(self.desk.script, stdin=f"{CAPABILITY}\n".encode())

        self.assertEqual(0, desk.type("execute", "-"))

    def test_not_stored(self) -> None:
        """An execution that could not be stored is worth another try."""
        self.desk.script.answers.clear()
        self.desk.script.refuse(f"POST {CAPABILITY}", 503, "ServiceUnavailable")

        self.assertEqual(5, self.desk.type("execute", CAPABILITY))

    def test_another_url(self) -> None:
        """Posting to some other page is not what was meant; half a secret is not repeated."""
        for url in ("http://otter.test/", f"otter.test/v1.0/execute/1/{HASH}/", HASH):
            self.assertEqual(2, self.desk.type("execute", url))

        self.assertEqual([], self.desk.script.requests)
        self.assertNotIn(HASH, self.desk.err.getvalue())


class SmallCommandsTests(SynchronousTestCase):
    """The commands that are alone in their family."""

    def setUp(self) -> None:
        """Have a service with a history and limits."""
        self.desk = Desk()

    def test_activities(self) -> None:
        """A reasonable number of the newest, unless more are wanted."""
        entry = {
            "id": "1",
            "timestamp": "t",
            "kind": "k",
            "actor": "a",
            "reason": "r",
            "details": {},
        }
        self.desk.script.on(f"GET {G}/activities?limit=50", {"activities": [entry]})
        self.desk.type("activity", "list", GROUP, "-f", "value")

        self.assertEqual("t\tk\ta\tr\n", self.desk.out.getvalue())

    def test_delete_server(self) -> None:
        """What happens to the server and its place is said in full."""
        asked = []
        for flags in ((), ("--no-replace",), ("--no-purge",)):
            replace, purge = "--no-replace" not in flags, "--no-purge" not in flags
            query = f"replace={str(replace).lower()}&purge={str(purge).lower()}"
            self.desk.script.on(f"DELETE {G}/servers/s1?{query}", status=202)
            asked.append(f"DELETE {G}/servers/s1?{query}")
            self.assertEqual(0, self.desk.type("server", "delete", GROUP, "s1", *flags))

        self.assertEqual(asked, self.desk.script.lines)

    def test_limits(self) -> None:
        """A table for people, the service's own document for scripts."""
        limits = {"absolute": {"maxGroups": 1000}, "rate": []}
        self.desk.script.on("GET /limits", {"limits": limits})
        as_json = Desk(self.desk.script)
        as_json.type("limits", "-f", "json")
        self.desk.type("limits", "-f", "value", "-c", "limit", "-c", "value")

        self.assertEqual("maxGroups\t1000\n", self.desk.out.getvalue())
        self.assertEqual(limits, read_json(as_json.out.getvalue()))
