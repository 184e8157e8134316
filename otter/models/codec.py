"""
Decide how records are written down as JSON, for stores and for messages.

What comes back equals what went in: decimals keep every digit, times are UTC, JSON objects inside
records are frozen again by the records themselves. A value of a union names its class under
``is``, so that a field added to one of them never changes how another is read.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import simplejson
from attrs import frozen, has
from cattrs import Converter
from pyrsistent import PMap, thaw

from otter.models.ids import CapabilityHash

TAG = "is"

T = TypeVar("T")


def capability_digest(capability: CapabilityHash) -> str:
    """
    Return what a capability is looked up by, so that no comparison ever touches the secret.
    """
    return hashlib.sha256(capability.encode("utf-8", "surrogatepass")).hexdigest()


def time_text(time: datetime) -> str:
    """
    Return a time as text of one width in UTC, so that the order of texts is the order of times.

    :raises ValueError: the time does not say which zone it means.
    """
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def make_converter() -> Converter:
    """
    Return a converter for every frozen record of ours, also those of other packages.

    It turns records into what ``dump_json`` writes and back.
    """
    converter = Converter(forbid_extra_keys=False)
    converter.register_unstructure_hook(datetime, time_text)
    converter.register_structure_hook(datetime, _parse_time)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, _parse_decimal)
    converter.register_structure_hook_factory(_is_map, partial(_map_reader, converter))
    converter.register_unstructure_hook_factory(_is_map, partial(_map_writer, converter))
    converter.register_structure_hook_factory(_is_tagged, partial(_union_reader, converter))
    converter.register_unstructure_hook_factory(_is_tagged, partial(_union_writer, converter))
    return converter


def dump_json(document: object) -> str:
    """Return JSON text in ASCII of plain objects and arrays."""
    return simplejson.dumps(document, use_decimal=True, separators=(",", ":"))


def load_json(text: str) -> Any:
    """Return the document; numbers with a fraction come as ``Decimal``."""
    return simplejson.loads(text, use_decimal=True)


@frozen
class Codec:
    """Records to JSON text and back."""

    _converter: Converter

    def encode(self, record: object, as_type: Any = None) -> str:
        """Return the record as text; ``as_type`` names the union when it is of one."""
        return dump_json(self.to_plain(record, as_type))

    def decode(self, text: str, record_type: type[T]) -> T:
        """Return the record the text was made from."""
        return self.from_plain(load_json(text), record_type)

    def to_plain(self, record: object, as_type: Any = None) -> Any:
        """Return the record as a JSON document."""
        return self._converter.unstructure(record, unstructure_as=as_type)

    def from_plain(self, document: Any, record_type: type[T]) -> T:
        """Return the record the document was made from."""
        return self._converter.structure(document, record_type)


def make_codec(*record_types: type) -> Codec:
    """
    Return a codec with a converter of its own; making one is slow, keep it.

    What it takes to convert ``record_types`` is made at once, so that threads may share it.
    """
    converter = make_converter()
    for record_type in record_types:
        converter.get_structure_hook(record_type)
        converter.get_unstructure_hook(record_type)
    return Codec(converter)


def _parse_time(text: str, _: object) -> datetime:
    return datetime.fromisoformat(text)


def _parse_decimal(text: str, _: object) -> Decimal:
    return Decimal(text)


def _is_map(kind: Any) -> bool:
    return kind is PMap or get_origin(kind) is PMap


def _value_type(kind: Any) -> Any:
    """Return the type of a map's values when they need converting, else ``object``."""
    value_type = (get_args(kind) or (object, object))[1]
    return object if value_type in (object, str, int, bool, Any) else value_type


def _map_writer(converter: Converter, kind: Any) -> Callable[[Mapping[str, Any]], Any]:
    value_type = _value_type(kind)
    if value_type is object:
        return thaw
    write = converter.get_unstructure_hook(value_type)
    return lambda mapping: {key: write(value) for key, value in mapping.items()}


def _map_reader(converter: Converter, kind: Any) -> Callable[[dict[str, Any], Any], Any]:
    """Return a reader of plain dictionaries: the fields of records freeze what they are given."""
    value_type = _value_type(kind)
    if value_type is object:
        return lambda mapping, _: mapping
    read = converter.get_structure_hook(value_type)
    return lambda mapping, _: {key: read(value, value_type) for key, value in mapping.items()}


def _is_tagged(kind: Any) -> bool:
    """Tell whether this is a union of several record classes, perhaps with None."""
    if get_origin(kind) not in (Union, UnionType):
        return False
    members = [member for member in get_args(kind) if member is not NoneType]
    return len(members) > 1 and all(has(member) for member in members)


def _union_writer(converter: Converter, _: Any) -> Callable[[Any], Any]:
    def write(value: Any) -> Any:
        if value is None:
            return None
        return {TAG: type(value).__name__, **converter.unstructure(value)}

    return write


def _union_reader(converter: Converter, kind: Any) -> Callable[[Any, Any], Any]:
    classes = {member.__name__: member for member in get_args(kind) if member is not NoneType}

    def read(document: Any, _: Any) -> Any:
        return None if document is None else converter.structure(document, classes[document[TAG]])

    return read
