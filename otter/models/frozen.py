"""Converters of records' fields: plain mappings come in, immutable ones are kept."""

from collections.abc import Mapping
from typing import Any

from pyrsistent import PMap, freeze, pmap


def frozen_map(mapping: Mapping[Any, Any]) -> PMap[Any, Any]:
    """Return a mapping whose values are immutable already; one that is frozen is not copied."""
    return mapping if isinstance(mapping, PMap) else pmap(mapping)


def frozen_object(document: Mapping[str, object]) -> PMap[str, object]:
    """Return a JSON object frozen throughout."""
    return freeze(document)
