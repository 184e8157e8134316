"""Tests of the rules about launch configs, over everything an owner could send."""

from base64 import b64encode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.cloud.errors import TransientError
from otter.cloud.launch_rules import (
    FileLimits,
    PersonalityFile,
    file_limits,
    may_be_id,
    personality_problems,
    status_problem,
)

UNLIMITED = FileLimits()


def problems(contents: str, limits: FileLimits = UNLIMITED) -> tuple[str, ...]:
    """Return the problems of one file."""
    return personality_problems([PersonalityFile("/f", contents)], limits)


class PersonalityTests(SynchronousTestCase):
    """What may be in a personality file."""

    @given(st.binary(min_size=1, max_size=200), st.integers(min_value=0, max_value=200))
    def test_encoded_bytes_are_judged_by_their_decoded_size(self, data: bytes, limit: int) -> None:
        """Base64 is a third longer than what arrives on the server."""
        found = problems(b64encode(data).decode(), FileLimits(size_max_bytes=limit))

        self.assertEqual(len(data) > limit, bool(found))

    @given(st.text(max_size=30))
    def test_whatever_is_sent_is_judged(self, contents: str) -> None:
        """Good or one problem, never an exception; only the alphabet of base64 is good."""
        found = problems(contents)

        self.assertIn(len(found), (0, 1))
        if not found:
            self.assertTrue(contents)
            self.assertRegex(contents, r"\A[A-Za-z0-9+/]+={0,2}\Z")
            self.assertEqual(0, len(contents) % 4)

    def test_examples(self) -> None:
        """What suites send."""
        for bad in ("", " ", "aGVsbG8=\n", "aGVs bG8=", "a.b.", "abc", "====", "A===", "ü", "ab=c"):
            self.assertEqual(1, len(problems(bad)), bad)

        self.assertEqual((), problems("aGVsbG8="))

    @given(st.integers(min_value=0, max_value=10), st.integers(min_value=0, max_value=10))
    def test_files_are_counted(self, count: int, limit: int) -> None:
        """One problem for the number, whatever the number."""
        files = [PersonalityFile("/f", "aGVsbG8=")] * count

        self.assertEqual(
            count > limit, bool(personality_problems(files, FileLimits(count_max=limit)))
        )

    def test_contents_are_not_repeated(self) -> None:
        """Files carry secrets; a problem names the path."""
        (problem,) = problems("not-base64-but-secret")

        self.assertNotIn("secret", problem)


class AnswerTests(SynchronousTestCase):
    """What services' answers mean."""

    def test_limits(self) -> None:
        """-1 and silence mean that there is none."""
        for absolute, expected in (
            ({"maxPersonality": 5, "maxPersonalitySize": 10240}, FileLimits(5, 10240)),
            ({"maxPersonality": -1, "maxPersonalitySize": -1}, FileLimits()),
            ({"maxPersonality": 0}, FileLimits(0, None)),
            ({}, FileLimits()),
        ):
            self.assertEqual(expected, file_limits({"limits": {"absolute": absolute}}))

    def test_unreadable_limits(self) -> None:
        """What is not a limit must not pass for none."""
        documents: list[Any] = [
            None,
            {},
            {"limits": {}},
            {"limits": {"absolute": []}},
            {"limits": {"absolute": {"maxPersonality": "5"}}},
            {"limits": {"absolute": {"maxPersonality": True}}},
        ]
        for document in documents:
            self.assertRaises(TransientError, file_limits, document)

    def test_statuses(self) -> None:
        """Nova shouts, Glance whispers."""
        self.assertEqual([None, None], [status_problem("i", text) for text in ("ACTIVE", "active")])
        for other in ("queued", "ERROR", "", "ACTIVE "):
            self.assertIsNotNone(status_problem("i", other))

    @given(st.text(max_size=300))
    def test_ids_stay_in_their_segment(self, text: str) -> None:
        """Nothing that resolves to another path, or to none."""
        if may_be_id(text):
            self.assertTrue(0 < len(text) <= 255)
            self.assertNotIn(text, {".", ".."})
            self.assertTrue(text.isprintable())
