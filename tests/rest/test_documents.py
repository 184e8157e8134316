"""What a JSON document may be."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from otter.controller.errors import ValidationError
from otter.rest.documents import MAX_DEPTH, MAX_VALUES, read_document, write_document
from otter.rest.errors import InvalidJsonError


def refusal(body: bytes) -> type[Exception] | None:
    """Return how a body is refused."""
    try:
        read_document(body)
    except (InvalidJsonError, ValidationError) as error:
        return type(error)
    return None


class ReadTests(SynchronousTestCase):
    """Bytes to documents."""

    def test_not_json(self) -> None:
        """Missing, broken, not UTF-8, or more than the rest of the house can carry."""
        bodies = [
            b"",
            b" \n",
            b"{",
            b"{'a': 1}",
            b"[1,]",
            b"[] []",
            b"nul",
            b"\xff",
            b'"\xed\xa0\x80"',
            b"[NaN]",
            b"[Infinity]",
            b"[-Infinity]",
            b"[01]",
            b"[.5]",
            b'"\\ud800"',
            b'{"\\udfff": 1}',
            b'["\\ud83d"]',
            b"[" * 100_000,
            b"[" * 100_000 + b"]" * 100_000,
            b'{"a":' * 5000 + b"1" + b"}" * 5000,
            b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
            b"[1e99999999999999999999]",
            '"\n"'.encode("utf-16"),
        ]
        found = {body[:30]: refusal(body) for body in bodies}

        self.assertEqual(found, dict.fromkeys(found, InvalidJsonError))

    def test_out_of_all_proportion(self) -> None:
        """JSON all right, but numbers and counts that would cost others dearly."""
        bodies = [
            b"[1e999999999]",
            b"[1e-999999999]",
            b"[0e999999]",
            b"[1E+401]",
            b"9" * 1001,
            b"-" + b"9" * 5000,
            b"0." + b"1" * 1000,
            b"[" + b"1," * MAX_VALUES + b"1]",
        ]
        found = {body[:30]: refusal(body) for body in bodies}

        self.assertEqual(found, dict.fromkeys(found, ValidationError))

    def test_what_is_carried(self) -> None:
        """Fractions keep their digits; of repeated keys the last wins; pairs of surrogates pass."""
        document = read_document(b'\n{"a": 1, "a": [5, 5.50, -0.0, 1E400, "\\ud83d\\ude00"]}')

        five, fraction, zero, large, text = document["a"]
        self.assertEqual((five, str(fraction), str(zero)), (5, "5.50", "-0.0"))
        self.assertIsInstance(five, int)
        self.assertEqual((large, text), (Decimal("1E400"), "\N{GRINNING FACE}"))
        self.assertEqual(refusal(b"9" * 1000), None)
        self.assertEqual(refusal(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), None)

    @given(st.binary())
    def test_any_bytes(self, body: bytes) -> None:
        """Whatever is sent is read or refused."""
        self.assertIn(refusal(body), {None, InvalidJsonError, ValidationError})

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(st.characters(codec="utf-8"))
            | st.decimals(allow_nan=False, allow_infinity=False, places=3),
            lambda inner: (
                st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner)
            ),
            max_leaves=10,
        )
    )
    def test_round_trip(self, document: object) -> None:
        """What is written is ASCII and reads as it was."""
        written = write_document(document)

        self.assertTrue(written.isascii())
        self.assertEqual(read_document(written), document)
