"""Groups and adjustments for hypothesis."""

from hypothesis import strategies as st

from otter.models.group import Group
from otter.models.policy import ChangeBy, ChangePercent, SetCapacity
from tests.controller.world import (
    a_group,
)

percents = st.decimals(
    min_value=-100_000, max_value=100_000, allow_nan=False, allow_infinity=False
).filter(bool)
adjustments = st.one_of(
    st.integers(-(10**30), 10**30).map(ChangeBy),
    percents.map(ChangePercent),
    st.integers(0, 10**30).map(SetCapacity),
)


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Groups whose desired capacity lies within their bounds."""
    low, desired, high = sorted(draw(st.tuples(*[st.integers(0, 1000)] * 3)))
    return a_group(desired, low, high)
