"""The configuration: what is right is understood, what is wrong names its key."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from otter.config import Config, ConfigError, check_roles, load, parse

IDENTITY = {"auth_url": "http://127.0.0.1:5000", "user_name": "otter", "password": "hush-hush"}


def document(**sections: Any) -> dict[str, Any]:
    """Return a document that is right, with these sections."""
    return {"identity": IDENTITY, **sections}


def wrong_key(parsed: Any) -> str:
    """Return the key that a wrong document's error names."""
    try:
        parse(parsed)
    except ConfigError as error:
        assert str(error).startswith(f"{error.path}: ")
        return error.path
    raise AssertionError(f"nothing is wrong with {parsed}")


class ParseTests(SynchronousTestCase):
    """Documents that are right."""

    def test_who_we_are_is_enough(self) -> None:
        """Everything else has a default that serves one machine."""
        config = parse(document())

        self.assertEqual(config.identity.user_name, "otter")
        self.assertEqual(config.store.kind, "sqlite")
        self.assertEqual(config.roles, ("api", "supervisor", "worker"))

    def test_durations_are_seconds(self) -> None:
        """Whole or with a fraction, under a key that says so."""
        config = parse(document(supervisor={"sweep_seconds": 90, "cycle_gap_seconds": 0.25}))

        self.assertEqual(config.supervisor.sweep, timedelta(seconds=90))
        self.assertEqual(config.supervisor.cycle_gap, timedelta(milliseconds=250))

    def test_a_section_replaces_only_what_it_names(self) -> None:
        """The other defaults stay."""
        config = parse(document(worker={"concurrency": 7, "creates_per_second": 3}))

        self.assertEqual((config.worker.concurrency, config.worker.attempts), (7, 6))
        self.assertEqual(config.worker.creates_per_second, 3.0)
        self.assertEqual(config.supervisor, Config(config.identity).supervisor)

    def test_lists_and_switches(self) -> None:
        """Lists of strings become tuples; true is true."""
        config = parse(document(api={"read_roles": ["a", "b"]}, notify={"allow_private": True}))

        self.assertEqual(config.api.read_roles, ("a", "b"))
        self.assertIs(config.notify.allow_private, True)

    def test_some_roles(self) -> None:
        """A process may do a part of the work."""
        self.assertEqual(parse(document(roles=["worker"])).roles, ("worker",))
        check_roles(("api", "supervisor"))


class MistakeTests(SynchronousTestCase):
    """Every kind of mistake names its key."""

    def test_what_is_missing(self) -> None:
        """A whole section, or one key."""
        self.assertEqual(wrong_key({}), "identity.auth_url")
        for key in IDENTITY:
            rest = {k: v for k, v in IDENTITY.items() if k != key}

            self.assertEqual(wrong_key({"identity": rest}), f"identity.{key}")

    def test_giving_up_too_early(self) -> None:
        """A create that may still be under way is not given up, or a server is made twice (S1)."""
        early = {"abandon_seconds": 20, "job_deadline_seconds": 10, "settle_seconds": 5}

        self.assertEqual(wrong_key(document(supervisor=early)), "supervisor.abandon_seconds")
        parse(document(supervisor=early, cloud={"timeout_seconds": 5}))

    def test_what_is_unknown(self) -> None:
        """A misspelt key is not silently ignored, on any level."""
        self.assertEqual(wrong_key(document(colour="blue")), "colour")
        self.assertEqual(wrong_key(document(worker={"concurency": 1})), "worker.concurency")
        self.assertEqual(wrong_key(document(supervisor={"sweep": 60})), "supervisor.sweep")

    def test_what_has_the_wrong_type(self) -> None:
        """Text for a number, a number for text, a switch for either, a value for a table."""
        for section, key, value in (
            ("worker", "concurrency", "7"),
            ("worker", "concurrency", 7.5),
            ("worker", "concurrency", True),
            ("worker", "creates_per_second", "fast"),
            ("worker", "creates_per_second", True),
            ("store", "path", 7),
            ("api", "authenticate", "yes"),
            ("api", "authenticate", 1),
            ("api", "read_roles", "observer"),
            ("api", "read_roles", ["a", 7]),
            ("supervisor", "sweep_seconds", "60"),
            ("supervisor", "sweep_seconds", [60]),
        ):
            self.assertEqual(wrong_key(document(**{section: {key: value}})), f"{section}.{key}")
        for value in (7, "x", [1]):
            self.assertEqual(wrong_key(document(worker=value)), "worker")

    def test_numbers_out_of_range(self) -> None:
        """Negative, infinite, not a number, longer than time itself: TOML can say all of these."""
        for value in (-1, -0.5, float("inf"), float("nan"), 1e300):
            self.assertEqual(
                wrong_key(document(supervisor={"sweep_seconds": value})),
                "supervisor.sweep_seconds",
            )
        for value in (float("inf"), float("nan"), -1):
            self.assertEqual(
                wrong_key(document(worker={"creates_per_second": value})),
                "worker.creates_per_second",
            )
        self.assertEqual(wrong_key(document(worker={"attempts": -1})), "worker.attempts")

    def test_none_where_something_is_needed(self) -> None:
        """With none of these nothing would ever be done, or one thing without end."""
        for path in (
            "supervisor.cycles",
            "supervisor.creates_in_flight",
            "supervisor.confirm_limit",
            "supervisor.sweep_seconds",
            "supervisor.mark_poll_seconds",
            "supervisor.look_first_seconds",
            "supervisor.look_max_seconds",
            "worker.concurrency",
            "worker.tenant_concurrency",
            "worker.queue_limit",
            "worker.creates_per_second",
            "worker.create_burst",
            "worker.attempts",
            "worker.notify_attempts",
            "worker.notify_concurrency",
            "worker.notify_poll_seconds",
            "rates.remembered",
            "bounds.requests",
            "bounds.idle_seconds",
            "bounds.headers",
        ):
            section, key = path.split(".")

            self.assertEqual(wrong_key(document(**{section: {key: 0}})), path)

    def test_urls(self) -> None:
        """What cannot be asked is told at once, and not by a service that never gets well."""
        for url in ("", "identity.example.com/v3", "ftp://identity/v3", "https://", "http://a b"):
            self.assertEqual(
                wrong_key({"identity": {**IDENTITY, "auth_url": url}}), "identity.auth_url"
            )
            self.assertEqual(wrong_key(document(api={"base_url": url})), "api.base_url")

        for url in ("http://[::1]:8901/", "HTTPS://autoscale.example.com"):
            parse(document(api={"base_url": url}))

    def test_choices(self) -> None:
        """Roles, versions and kinds of store that do not exist."""
        self.assertEqual(wrong_key(document(roles=["api", "cook"])), "roles")
        self.assertEqual(wrong_key(document(roles=[])), "roles")
        self.assertEqual(wrong_key(document(store={"kind": "paper"})), "store.kind")
        scope = {"execute_scope": "moon"}
        self.assertEqual(wrong_key(document(rates=scope)), "rates.execute_scope")
        self.assertEqual(wrong_key({"identity": {**IDENTITY, "version": "4"}}), "identity.version")


class SecretTests(SynchronousTestCase):
    """Passwords."""

    def secret(self, content: bytes) -> str:
        """Return the path of a file."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        return str(path)

    def with_file(self, path: object) -> dict[str, Any]:
        """Return a document whose password is in a file."""
        who = {key: value for key, value in IDENTITY.items() if key != "password"}
        return {"identity": {**who, "password_file": path}}

    def test_a_secret_may_be_in_a_file(self) -> None:
        """Without the newline that editors put at its end."""
        config = parse(self.with_file(self.secret(b"from a file\n")))

        self.assertEqual(config.identity.password, "from a file")

    def test_a_file_that_cannot_be_read(self) -> None:
        """Absent, a directory, not text, not even a path."""
        for path in (
            self.mktemp(),
            str(Path(self.mktemp()).parent),
            self.secret(b"\xff\xfe\x00"),
            "null\0byte",
            7,
        ):
            self.assertEqual(wrong_key(self.with_file(path)), "identity.password_file", path)

    def test_both_are_too_many(self) -> None:
        """Nobody can tell which one counts."""
        both = {"identity": {**IDENTITY, "password_file": self.secret(b"x")}}

        self.assertEqual(wrong_key(both), "identity.password_file")

    def test_only_text_comes_from_files(self) -> None:
        """A number in a file would be text where a number is expected."""
        path = self.secret(b"7")

        self.assertEqual(
            wrong_key(document(worker={"concurrency_file": path})), "worker.concurrency_file"
        )
        self.assertEqual(
            wrong_key(document(supervisor={"sweep_seconds_file": path})),
            "supervisor.sweep_seconds_file",
        )

    def test_passwords_are_not_shown(self) -> None:
        """Neither by the configuration nor by an error about a neighbour."""
        config = parse(document())

        self.assertNotIn("hush-hush", repr(config))
        self.assertNotIn("hush-hush", str(config.identity))
        try:
            parse({"identity": {**IDENTITY, "password": ["hush-hush"]}})
        except ConfigError as error:
            self.assertNotIn("hush-hush", str(error))
            self.assertEqual(error.path, "identity.password")


class LoadTests(SynchronousTestCase):
    """Files."""

    def load(self, content: bytes) -> Config:
        """Load a file with this content."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        return load(path)

    def test_a_file(self) -> None:
        """In TOML."""
        config = self.load(
            b'roles = ["api"]\n[identity]\nauth_url = "http://u"\nuser_name = "n"\npassword = "p"\n'
        )

        self.assertEqual((config.roles, config.identity.password), (("api",), "p"))

    def test_a_file_that_is_no_configuration(self) -> None:
        """The error names the file."""
        for content in (b"[", b"\xff\xfe", b"a = 1\na = 2"):
            path = Path(self.mktemp())
            path.write_bytes(content)
            with self.assertRaises(ConfigError) as caught:
                load(path)

            self.assertEqual(caught.exception.path, str(path))

    def test_a_file_that_is_not_there(self) -> None:
        """Nor can a directory be read."""
        for path in (Path(self.mktemp()), Path(self.mktemp()).parent):
            with self.assertRaises(ConfigError) as caught:
                load(path)

            self.assertEqual(caught.exception.path, str(path))
