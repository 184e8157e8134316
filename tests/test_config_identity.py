"""Tests of the part of the configuration that says who we are and how we act for tenants."""

from datetime import timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from otter.config import ConfigError, parse

WHO = {"auth_url": "http://i", "user_name": "u", "password": "hush"}


class ActingTests(SynchronousTestCase):
    """How a token for a tenant comes about is chosen once, and a bad choice names its key."""

    def test_service_user_is_the_default(self) -> None:
        """It needs nothing but a role on each project, in either version."""
        for version in ("v3", "v2.0"):
            identity = parse({"identity": {**WHO, "version": version}}).identity

            self.assertEqual("service-user", identity.acting)

    def test_other_ways(self) -> None:
        """Each with what it needs."""
        impersonation = {
            "acting": "impersonation",
            "version": "v2.0",
            "impersonated_user": "otter-{tenant}",
            "impersonation_life_seconds": 600,
        }
        credentials = {
            "acting": "application-credential",
            "application_credentials_file": "/etc/otter/credentials.toml",
        }
        first = parse({"identity": {**WHO, **impersonation}}).identity
        second = parse({"identity": {**WHO, **credentials}}).identity

        self.assertEqual(timedelta(minutes=10), first.impersonation_life)
        self.assertEqual("otter-{tenant}", first.impersonated_user)
        self.assertEqual("/etc/otter/credentials.toml", second.application_credentials_file)

    def test_bad_choices_name_the_key(self) -> None:
        """An operator finds the line; no secret is repeated."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({"acting": "magic"}, "identity.acting"),
            ({"acting": "impersonation"}, "identity.acting"),
            ({"acting": "application-credential", "version": "v2.0"}, "identity.acting"),
            (
                {"acting": "application-credential"},
                "identity.application_credentials_file",
            ),
            (
                {"acting": "impersonation", "version": "v2.0", "impersonated_user": "everybody"},
                "identity.impersonated_user",
            ),
            (
                {
                    "acting": "impersonation",
                    "version": "v2.0",
                    "impersonation_life_seconds": 59,
                },
                "identity.impersonation_life_seconds",
            ),
            ({"version": "v1"}, "identity.version"),
        ]
        for changes, key in cases:
            document = {"identity": {**WHO, **changes}}
            error = self.assertRaises(ConfigError, parse, document)

            self.assertEqual(key, error.path, changes)
            self.assertNotIn("hush", str(error))
