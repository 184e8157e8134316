"""
How fast a group may try again: failures in a row, waits, replacement budget, reasons to show.

Pure. Promise S6: an error never makes us ask more often than a success would.
"""

import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import evolve

from otter.models.group import Group
from otter.models.ledger import Convergence, EntryState, Failing, LedgerEntry
from otter.supervisor.observing import Failure
from otter.supervisor.settings import SupervisorSettings

SHOWN_AFTER = 5
"""A passing failure is shown to the owner after so many in a row."""

REPLACEMENT_WINDOW = timedelta(hours=1)


def backoff(failures: int, settings: SupervisorSettings, seed: str) -> timedelta:
    """Return the wait after ``failures`` failures in a row, doubled each time, with jitter."""
    doubled: timedelta = settings.retry_first * (2 ** min(failures - 1, 20))
    return min(doubled, settings.retry_max) * _jitter(f"{seed}/{failures}")


def _jitter(seed: str) -> float:
    """Return a factor around 1 that differs from group to group but not from run to run."""
    return 0.8 + 0.4 * zlib.crc32(seed.encode()) / 0xFFFFFFFF


def after_attempts(
    convergence: Convergence,
    group: Group,
    failures: Iterable[Failure],
    recovered: frozenset[Failing],
    *,
    now: datetime,
    settings: SupervisorSettings,
) -> Convergence:
    """
    Return the record after what this cycle saw fail and work.

    A fresh call of the owner (a higher generation) allows one attempt at once. An accepted create
    is recovery from refused creates; only a server that became ready is recovery from failed
    builds.
    """
    found = list(failures)
    result = convergence
    if group.generation > convergence.seen_generation:
        result = evolve(result, retry_at=None)
    if recovered and (result.failing is None or result.failing in recovered):
        result = evolve(result, failures=0, failing=None, retry_at=None, create_reasons=())
    if found:
        result = _after_failures(result, found, now, settings)
    return evolve(result, seen_generation=max(group.generation, convergence.seen_generation))


def _after_failures(
    convergence: Convergence, found: list[Failure], now: datetime, settings: SupervisorSettings
) -> Convergence:
    count = convergence.failures + 1
    lasting = {f.reason for f in found if f.lasting}
    passing = {f.reason for f in found if not f.lasting} if count >= SHOWN_AFTER else set()
    shown = {r for r in lasting | passing if r}
    builds = all(f.failing is Failing.BUILD for f in found)
    return evolve(
        convergence,
        failures=count,
        failing=Failing.BUILD if builds else Failing.CREATE,
        retry_at=now + backoff(count, settings, convergence.group_id),
        create_reasons=tuple(sorted(shown)) if shown else convergence.create_reasons,
    )


def after_replacements(
    convergence: Convergence,
    before: Iterable[LedgerEntry],
    after: Iterable[LedgerEntry],
    *,
    desired: int,
    now: datetime,
    settings: SupervisorSettings,
) -> Convergence:
    """
    Return the record with this cycle's losses of servers in service added to the last hour's.

    Beyond the budget the group waits, and says why, instead of burning through servers.
    """
    old = {e.instance_id: e for e in before}
    lost = sum(1 for e in after if e.instance_id in old and _fell(old[e.instance_id], e))
    recent = [t for t in convergence.replaced_at if now - t < REPLACEMENT_WINDOW]
    budget = max(settings.replacements_per_hour, 3 * desired)
    recent = [*recent, *[now] * lost][-budget - 1 :]
    result = evolve(convergence, replaced_at=tuple(recent))
    if len(recent) <= budget:
        return result
    reason = f"more than {budget} servers had to be replaced within an hour; waiting"
    until = recent[0] + REPLACEMENT_WINDOW
    return evolve(
        result,
        retry_at=max(until, result.retry_at or until),
        create_reasons=tuple(sorted({*result.create_reasons, reason})),
    )


def _fell(before: LedgerEntry, after: LedgerEntry) -> bool:
    serving = before.state in {EntryState.JOINING, EntryState.IN_SERVICE}
    return serving and before.removal is None and after.leaving


def creates_allowed(
    convergence: Convergence, requested: int, *, now: datetime, settings: SupervisorSettings
) -> int:
    """Return how many creates may be handed out now, with ``requested`` still unanswered."""
    if convergence.retry_at is not None and now < convergence.retry_at:
        return 0
    ceiling = 1 if convergence.failures >= settings.probe_after else settings.creates_in_flight
    return max(0, ceiling - requested)
