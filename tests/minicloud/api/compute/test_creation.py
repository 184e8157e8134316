"""Tests of ``minicloud.api.compute.creation``."""

import base64
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from minicloud.api.compute.creation import parse_creation
from minicloud.api.compute.microversion import Microversion
from minicloud.api.errors import ApiError, BadRequestError, ForbiddenError
from minicloud.controller.records import NewServer

SERVICE_NET = "11111111-1111-1111-1111-111111111111"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FIELDS = (
    "name",
    "imageRef",
    "flavorRef",
    "metadata",
    "networks",
    "user_data",
    "personality",
    "security_groups",
    "key_name",
    "min_count",
    "block_device_mapping_v2",
    "config_drive",
)


def parse(minor: int = 1, **fields: Any) -> NewServer:
    """Parse a body with some fields, in a microversion; None takes a field out."""
    body = {"name": "web", "imageRef": "image", "flavorRef": "1", **fields}
    kept = {key: value for key, value in body.items() if value is not None}
    return parse_creation({"server": kept}, Microversion(2, minor))


def a_file(size: int = 10) -> dict[str, str]:
    """Return a file to inject."""
    return {"path": "/etc/motd", "contents": base64.b64encode(b"x" * size).decode()}


class ParseCreationTests(SynchronousTestCase):
    """What may be asked for."""

    def assert_refused(self, minor: int = 1, **fields: Any) -> None:
        """Fail unless a body with these fields is malformed."""
        self.assertRaises(BadRequestError, parse, minor, **fields)

    def test_least(self) -> None:
        """A name, an image and a flavor make a server."""
        self.assertEqual(parse(), NewServer("web", "image", "1"))

    def test_required(self) -> None:
        """Each of them is needed."""
        for field in ("name", "imageRef", "flavorRef"):
            self.assertRaises(BadRequestError, parse, **{field: None})

    def test_references(self) -> None:
        """Images and flavors may be given by URL or, flavors, by number, as old clients do."""
        new = parse(imageRef="http://cloud/images/abc", flavorRef="http://cloud/flavors/2")

        self.assertEqual((new.image_id, new.flavor_id), ("abc", "2"))
        self.assertEqual(parse(flavorRef=3).flavor_id, "3")

    def test_image_as_disk(self) -> None:
        """The openstack command names the image as the disk to boot from as well."""
        disk = {"source_type": "image", "uuid": "abc", "boot_index": 0}

        self.assertEqual(parse(imageRef=None, block_device_mapping_v2=[disk]).image_id, "abc")

    def test_since(self) -> None:
        """A field is refused before the microversion that brought it."""
        cases: tuple[tuple[str, object, int], ...] = (
            ("description", "text", 19),
            ("tags", ["a"], 52),
            ("hostname", "host", 90),
        )
        for field, value, minor in cases:
            self.assert_refused(minor - 1, networks=[], **{field: value})
            parse(minor, networks=[], **{field: value})
        self.assert_refused(nonsense=1)

    def test_networks(self) -> None:
        """Networks are optional before 2.37, and named by uuid, ports, auto or none after."""
        self.assertTrue(parse(networks=[{"uuid": SERVICE_NET}]).networked)
        self.assertTrue(parse(37, networks="auto").networked)
        self.assertFalse(parse(37, networks="none").networked)
        self.assert_refused(37)
        self.assert_refused(36, networks="auto")
        self.assert_refused(networks=[{"uuid": "private"}])

    def test_personality(self) -> None:
        """Files are taken before 2.57 within limits; beyond them it is a quota, so 403."""
        parse(56, networks=[], personality=[a_file()] * 5)
        self.assert_refused(57, networks="auto", personality=[a_file()])
        self.assert_refused(personality=[{"path": "/etc/motd", "contents": "no base64!"}])
        self.assertRaises(ForbiddenError, parse, personality=[a_file()] * 6)
        self.assertRaises(ForbiddenError, parse, personality=[a_file(1001)])

    def test_metadata(self) -> None:
        """Metadata are texts, keys not empty, both of bounded length."""
        self.assertEqual(dict(parse(metadata={"a": ""}).metadata), {"a": ""})
        wrong: tuple[Any, ...] = ([], {"a": 1}, {"": "x"}, {"a": "x" * 256}, {"k" * 256: "x"})
        for bad in wrong:
            self.assert_refused(metadata=bad)

    def test_user_data(self) -> None:
        """User data is base64."""
        self.assertEqual(parse(user_data="aGVsbG8=").user_data, "aGVsbG8=")
        self.assert_refused(user_data="not base64")

    def test_tags(self) -> None:
        """Tags are short and have neither commas nor slashes, for they stand in URLs."""
        for bad in ("a", ["a,b"], ["a/b"], [""], ["x" * 61], ["a"] * 51, [1]):
            self.assert_refused(52, networks="auto", tags=bad)

    def test_one_at_a_time(self) -> None:
        """This cloud makes one server per request, and says so."""
        parse(min_count=1, max_count="1")
        self.assert_refused(max_count=2)

    def test_long_name(self) -> None:
        """Names are bounded."""
        self.assert_refused(name="x" * 256)
        self.assert_refused(name="")

    @given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from([1, 37, 96]))
    def test_anything(self, fields: dict[str, Any], minor: int) -> None:
        """Whatever the body holds, it makes a server or is refused by name."""
        body = {"name": "web", "imageRef": "image", "flavorRef": "1", **fields}
        try:
            parsed = parse_creation({"server": body}, Microversion(2, minor))
        except ApiError as error:
            self.assertIn(error.status, {400, 403})
            return

        self.assertIsInstance(parsed, NewServer)
