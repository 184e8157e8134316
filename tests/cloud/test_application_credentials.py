"""Tests of the file of application credentials: what it may be, and that changes are noticed."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.application_credentials import (
    FILE_SIZE_MAX_BYTES,
    Credential,
    CredentialsFile,
    CredentialsFileError,
    parse_credentials,
)
from otter.models.ids import TenantId
from tests.cloud.credentials import SECRET, write_credentials

A, B = TenantId("a"), TenantId("b")


class ParseTests(SynchronousTestCase):
    """What is in the file."""

    def test_both_spellings(self) -> None:
        """TOML for people, JSON for programs."""
        expected = {A: Credential("1", "s"), TenantId("7042"): Credential("2", "t")}
        toml = b'[a]\nid = "1"\nsecret = "s"\n[7042]\nid = "2"\nsecret = "t"\n'
        json = b'{"a": {"id": "1", "secret": "s"}, "7042": {"id": "2", "secret": "t"}}'

        self.assertEqual(expected, parse_credentials(toml, json=False))
        self.assertEqual(expected, parse_credentials(json, json=True))
        self.assertEqual({}, parse_credentials(b"", json=False))

    def test_anything_else_is_refused_without_quoting_it(self) -> None:
        """The message goes to a log; it names the project, and nothing that could be a secret."""
        for content in (
            b'{"a": {"id": "1"}}',
            b'{"a": {"id": "1", "secret": ""}}',
            b'{"a": {"id": 1, "secret": "hush"}}',
            b'{"a": {"id": "1", "secret": "hush", "more": 1}}',
            b'{"a": "hush"}',
        ):
            error = self.assertRaises(CredentialsFileError, parse_credentials, content, json=True)

            self.assertIn("'a'", str(error))
            self.assertNotIn("hush", str(error))
        for content in (b"[]", b'"hush"', b"{hush", b"\xff", b"[" * 100_000, b""):
            error = self.assertRaises(CredentialsFileError, parse_credentials, content, json=True)

            self.assertNotIn("hush", str(error))

    def test_size_is_bounded(self) -> None:
        """A file that somebody else fills must not fill our memory."""
        content = b" " * (FILE_SIZE_MAX_BYTES + 1)

        self.assertRaises(CredentialsFileError, parse_credentials, content, json=False)

    @given(st.binary(max_size=60), st.booleans())
    def test_no_other_error_escapes(self, content: bytes, json: bool) -> None:
        """Whatever the file is."""
        try:
            parse_credentials(content, json=json)
        except CredentialsFileError as error:
            self.assertTrue(str(error))

    def test_secrets_are_not_shown(self) -> None:
        """Records end up in logs."""
        self.assertNotIn("hush", repr(Credential("1", "hush")))


class CredentialsFileTests(SynchronousTestCase):
    """The file as it changes."""

    def setUp(self) -> None:
        """Write a file and load it."""
        self.clock = Clock()
        self.path = Path(self.mktemp() + ".toml")
        write_credentials(self.path, {A: "1"})
        self.file = CredentialsFile(self.path, self.clock)
        self.file.load()

    def test_changes_are_noticed_in_time(self) -> None:
        """Not at once: looking at a file takes time too."""
        write_credentials(self.path, {A: "1", B: "2"})
        early = self.file.find(B)
        self.clock.advance(5)

        self.assertIsNone(early)
        self.assertEqual(Credential("2", f"{SECRET} of 2"), self.file.find(B))

    def test_unchanged_file_is_not_read_again(self) -> None:
        """It is only looked at."""
        reads: list[str] = []
        real = Path.open

        def opened(path: Path, mode: str) -> object:
            reads.append(mode)
            return real(path, mode)

        self.patch(Path, "open", opened)
        for _ in range(3):
            self.clock.advance(5)
            self.assertIsNotNone(self.file.find(A))

        self.assertEqual([], reads)

    def test_file_that_breaks_changes_nothing(self) -> None:
        """Half a file, or none, must not stop every tenant's groups; the log tells of it."""
        with capturedLogs() as events:
            self.path.write_text("[a]\nid = ")
            self.clock.advance(5)
            broken = self.file.find(A)
            self.path.unlink()
            self.clock.advance(5)
            gone = self.file.find(A)
        write_credentials(self.path, {B: "2"})
        self.clock.advance(5)

        self.assertEqual([Credential("1", f"{SECRET} of 1")] * 2, [broken, gone])
        self.assertIsNone(self.file.find(A))
        self.assertEqual(2, len(events))
        self.assertNotIn(SECRET, repr(events))

    def test_file_that_cannot_be_read_at_start_is_told(self) -> None:
        """Whoever starts us notices, instead of tenants one by one."""
        missing = CredentialsFile(Path(self.mktemp()), self.clock)

        error = self.assertRaises(CredentialsFileError, missing.load)
        self.assertIn("No such file", str(error))
