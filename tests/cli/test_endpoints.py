"""Endpoints in every form that people and catalogs write them."""

from twisted.trial.unittest import SynchronousTestCase

from otter.cli.exits import UsageError
from otter.cli.remote.endpoints import named_project, require_url, tenant_endpoint

SAME = "https://a.test/v1.0/7042"


class TenantEndpointTests(SynchronousTestCase):
    """From what was said to what paths are appended to."""

    def test_forms(self) -> None:
        """With or without version, project and slash, the same place is meant."""
        forms = (
            "https://a.test",
            "https://a.test/",
            "https://a.test/v1.0",
            "https://a.test/v1.0/",
            "https://a.test/v1.0/7042",
            "https://a.test/v1.0/7042/",
        )

        self.assertEqual([SAME] * len(forms), [tenant_endpoint(form, "7042") for form in forms])

    def test_below_a_path(self) -> None:
        """A proxy may serve Otter below a path of its own."""
        self.assertEqual(
            "http://a.test:8/scaling/v1.0/7042", tenant_endpoint("http://a.test:8/scaling", "7042")
        )

    def test_a_named_project_wins(self) -> None:
        """Whoever writes a project into the endpoint means that one, whatever the token says."""
        self.assertEqual(SAME, tenant_endpoint(SAME, "another"))

    def test_nobody_names_a_project(self) -> None:
        """Without a project there is no tenant to speak for."""
        with self.assertRaisesRegex(UsageError, "--os-project-id"):
            tenant_endpoint("https://a.test/v1.0", None)

    def test_project_is_one_segment(self) -> None:
        """A project's id cannot lead elsewhere."""
        self.assertEqual("http://a.test/v1.0/a%2Fb", tenant_endpoint("http://a.test", "a/b"))


class NamedProjectTests(SynchronousTestCase):
    """Whether identity has to be asked for the project."""

    def test_named(self) -> None:
        """What stands behind the version is the project."""
        self.assertEqual("7042", named_project(SAME + "/"))

    def test_not_named(self) -> None:
        """A version alone, or nothing, names none."""
        self.assertEqual([None, None], [named_project("http://a/v1.0/"), named_project("http://a")])


class RequireUrlTests(SynchronousTestCase):
    """What is taken for a URL."""

    def test_no_urls(self) -> None:
        """A typing error is told at once, and not repeated: it may be half a secret."""
        for text in (
            "",
            "a.test",
            "ftp://a.test/",
            "http://",
            "http://[",
            "/v1.0/execute/1/secret",
        ):
            with self.assertRaises(UsageError) as caught:
                require_url(text)
            self.assertNotIn("secret", str(caught.exception))
