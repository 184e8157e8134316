"""
Fold several calls on one group into one write.

Pure but for what the decisions themselves do: a group and the waiting decisions go in; the group
to write and one answer per decision come out.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import frozen

from otter.controller.errors import RefusedError
from otter.controller.history import in_order
from otter.controller.wording import no_such_group
from otter.models.activity import Activity
from otter.models.group import Group
from otter.models.interface import LedgerWrite
from otter.models.ledger import Ledger


@frozen
class Proposal:
    """
    What one call makes of the group.

    :ivar group: the group as it is to be; its generation is left as it is.
    :ivar writes: whether the group must be written, be it only to raise its generation.
    :ivar mark: whether the write marks the group dirty.
    :ivar activities: lines of history; kept even when nothing is written.
    :ivar ledger: a change of the supervisor's half; only for decisions that were shown it.
    :ivar refusal: what the caller is told instead of the group, although the rest is carried out.
    """

    group: Group
    writes: bool = True
    mark: bool = False
    activities: tuple[Activity, ...] = ()
    ledger: LedgerWrite | None = None
    refusal: RefusedError | None = None


Decide = Callable[[Group, datetime], Proposal]
"""Decides on the group alone; raises ``RefusedError`` when nothing is to be written."""

DecideOnLedger = Callable[[Group, Ledger, datetime], Proposal]
"""Decides on both halves of the group."""

Decision = Callable[[Group, Ledger | None, datetime], Proposal]
"""Either, as it is folded."""

Answer = Group | Exception
"""What a caller gets: the group as its own decision left it, or why not."""


@frozen
class Folded:
    """What a batch makes of the group; ``answers`` are in the order of the decisions."""

    group: Group
    answers: tuple[Answer, ...]
    writes: bool = False
    mark: bool = False
    activities: tuple[Activity, ...] = ()
    ledger: LedgerWrite | None = None


def fold(
    group: Group, ledger: Ledger | None, decisions: Sequence[Decision], now: datetime
) -> Folded:
    """
    Return what ``decisions``, each seeing the group as the one before left it, make of ``group``.

    A decision that refuses or fails leaves the group to the next one as it was. Once one has
    marked the group deleting, the others find no group.
    """
    proposals: list[Proposal] = []
    answers: list[Answer] = []
    for decide in decisions:
        outcome = _ask(decide, group, ledger, now)
        if isinstance(outcome, Proposal):
            proposals.append(outcome)
            group = outcome.group if outcome.writes else group
            answers.append(outcome.refusal or group)
        else:
            answers.append(outcome)
    return Folded(
        group=group,
        answers=tuple(answers),
        writes=any(proposal.writes for proposal in proposals),
        mark=any(proposal.mark for proposal in proposals),
        activities=in_order([a for proposal in proposals for a in proposal.activities]),
        ledger=next((p.ledger for p in proposals if p.ledger is not None), None),
    )


def _ask(
    decide: Decision, group: Group, ledger: Ledger | None, now: datetime
) -> Proposal | Exception:
    if group.deleting:
        return no_such_group(group.tenant_id, group.group_id)
    try:
        return decide(group, ledger, now)
    except Exception as error:  # noqa: BLE001 - a broken decision fails its own caller only
        return error
