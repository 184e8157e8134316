"""Names and ids are told apart, and a name must be enough."""

from twisted.trial.unittest import SynchronousTestCase

from otter.cli.exits import NotFoundError, UsageError
from otter.cli.remote.api import Api
from otter.cli.remote.finding import Finder, choose, is_id
from tests.cli.scene import GROUP, POLICY, ROOT, WEBHOOK, Script, a_group, a_policy, a_webhook

OTHER = GROUP.replace("5", "6")


class ChooseTests(SynchronousTestCase):
    """One of several."""

    def test_by_name_or_id(self) -> None:
        """Either will do; a name may look like an id that it is not."""
        known = (("1", "web"), ("2", "db"))

        self.assertEqual(["1", "2"], [choose("web", known, "group"), choose("2", known, "group")])

    def test_none(self) -> None:
        """Names are exact: half of one is none."""
        with self.assertRaisesRegex(NotFoundError, "there is no group we"):
            choose("we", (("1", "web"),), "group")

    def test_several(self) -> None:
        """Names need not be unique; guessing would delete the wrong group."""
        with self.assertRaisesRegex(
            UsageError, "2 are called web; say which group by its id: 1, 2"
        ):
            choose("web", (("1", "web"), ("2", "web")), "group")

    def test_very_many(self) -> None:
        """A hundred namesakes are not all listed."""
        with self.assertRaisesRegex(UsageError, "9 are called web.*: 0, 1, 2, 3, 4, …"):
            choose("web", ((str(number), "web") for number in range(9)), "group")


class FinderTests(SynchronousTestCase):
    """Looking up through the API."""

    def setUp(self) -> None:
        """Have one of each."""
        self.script = Script()
        self.finder = Finder(Api(self.script, ROOT))
        policies = f"/groups/{GROUP}/policies"
        self.script.on("GET /groups?limit=100", {"groups": [a_group()], "groups_links": []})
        self.script.on(f"GET {policies}?limit=100", {"policies": [a_policy()]})
        self.script.on(f"GET {policies}/{POLICY}/webhooks?limit=100", {"webhooks": [a_webhook()]})

    def test_ids_cost_nothing(self) -> None:
        """Who knows the ids pays no request for looking them up."""
        path = self.finder.webhook(GROUP, POLICY, WEBHOOK)

        self.assertEqual(f"/groups/{GROUP}/policies/{POLICY}/webhooks/{WEBHOOK}", path)
        self.assertEqual([], self.script.requests)

    def test_names(self) -> None:
        """Who knows the names gets to the same place."""
        self.assertEqual(
            f"/groups/{GROUP}/policies/{POLICY}/webhooks/{WEBHOOK}",
            self.finder.webhook("web", "grow", "pager"),
        )
        self.assertEqual(3, len(self.script.requests))

    def test_unknown(self) -> None:
        """The kind of what is missing is named."""
        for look, kind in (
            (lambda: self.finder.group("x"), "group"),
            (lambda: self.finder.policy("web", "x"), "policy"),
            (lambda: self.finder.webhook("web", "grow", "x"), "webhook"),
        ):
            with self.assertRaisesRegex(NotFoundError, f"no {kind} x"):
                look()

    def test_forms_of_ids(self) -> None:
        """Only the exact form of an id is taken for one."""
        texts = (GROUP, GROUP.upper(), GROUP[:-1], f"{GROUP}0", "web", "")

        self.assertEqual([True, True, False, False, False, False], [is_id(text) for text in texts])
