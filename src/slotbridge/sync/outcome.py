"""What a run made of one pair: what is remembered of it, and what is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from slotbridge.errors import ApiError
from slotbridge.reconcile.agreement import Agreement
from slotbridge.reconcile.model import SIDES, Change, Hold, Link
from slotbridge.reconcile.names import REFUSED, LostName
from slotbridge.reconcile.oscillation import Streak, streaks
from slotbridge.reconcile.settle import settle
from slotbridge.reconcile.unread import UNREAD_CREATION
from slotbridge.store import Outcome
from slotbridge.sync.customers import farewells
from slotbridge.sync.metering import content_digest
from slotbridge.sync.naming import is_about_names
from slotbridge.sync.report import PairReport
from slotbridge.sync.resting import TURNED_AWAY, refused_steps
from slotbridge.sync.terms import agreement_of
from slotbridge.sync.work import Work

Base = tuple[Agreement, tuple[Link, ...]]


def outcome_of(work: Work, at: datetime, *, dry: bool, undoes: bool) -> Outcome:
    """What is to be remembered of a pair. Its base is what was read back, and nothing else (W4).

    A run that `undoes` another one leaves the holds of the ordinary runs as they are.
    """
    base = None if dry else _base(work)
    plan = work.plan
    hours = Outcome(
        pair=work.name,
        at=at,
        status="quiet",
        base=base,
        changes=in_order([*work.applied, *(work.names.applied if work.names else ())]),
        past=(work.memory.agreement, work.memory.links) if work.memory.agreement is not None else None,
        rescued=not work.has_to_be_told if work.doubt else work.rescued,
        bitrix24_digest=_digest(work),
        **_about_names(work),
    )
    if error := work.error or (work.names and work.names.error):
        hours = replace(hours, status="failed", error=str(error))
    if work.error is not None:
        return replace(hours, intents_done=work.goes_on and not work.late and _is_seen(work))
    holds = (*work.holds, *held_names(work)) if plan else None
    return replace(
        hours,
        status="failed" if error else PairReport(work.name, hours.changes, holds or ()).status,
        base=base if base != (work.memory.agreement, work.memory.links) else None,
        overruled=tuple(lost for lost in plan.overruled if lost not in work.told) if plan else (),
        holds=None if undoes else holds,
        streaks=_streaks(work) if plan else None,
        intents_done=_is_over(work),
    )


def _is_over(work: Work) -> bool:
    """Whether nothing that was created is still to appear, and the notes of it have done their work."""
    if work.closed and (work.late or not work.applied):
        return not work.late
    return bool(work.memory.intents or work.applied) and _is_seen(work)


def _is_seen(work: Work) -> bool:
    """Whether the notes of what was created have done their work.

    Of a first copy they are all that tells it from other slots, and of an item that cannot be read, that it is ours.
    """
    plan = work.plan
    return plan is None or (plan.agreed and all(hold.fingerprint != UNREAD_CREATION for hold in plan.holds))


def _base(work: Work) -> Base | None:
    if work.plan is None or work.agreement is None or (work.error is not None and not (work.heals or work.goes_on)):
        return None
    settled = settle(work.plan, work.snapshot)
    if settled.missing and not work.goes_on:
        first = settled.missing[0]
        what = f"{first.value.window if first.value else 'a window'} is not there as it was meant to be"
        work.fail(ApiError(what, side=first.side, hint="The next run reads again what came of it"))
        return None
    if not work.plan.agreed:
        return None
    # What was written may be the first that tells the server's form of times.
    return agreement_of(work.pair, work.plan.terms, work.snapshot), settled.links


def _about_names(work: Work) -> dict[str, Any]:
    names = work.names
    about: dict[str, Any] = _refusals(work)
    agreed = names.agreed if names is not None and work.belongs_together else None
    if names is not None and agreed is not None and agreed != work.memory.names:
        about |= {"names": agreed, "leader": names.leader}
    return about


def _refusals(work: Work) -> dict[str, Any]:
    """What is not to be sent again, of hours, names and customers, with the words for it; nothing where that stays."""
    known, names = work.memory.refused, work.names
    hours = work.refused if work.refused or work.error is None else _of_hours(known)
    if names is None or names.shown is not None:
        named = names.refused if names is not None else {}
    else:
        named = {name: words for name, words in known.items() if name.startswith(REFUSED)}
    now = {**hours, **named, **refused_steps(work)}
    return {} if now == known else {"refused": now}


def _of_hours(refused: Mapping[str, str]) -> dict[str, str]:
    return {name: words for name, words in refused.items() if not name.startswith((REFUSED, TURNED_AWAY))}


def report_of(work: Work, outcome: Outcome, *, dry: bool) -> PairReport:
    """What is told of a pair."""
    plan = work.plan if work.error is None else None
    hours_lost = dict.fromkeys((*work.told, *plan.overruled)) if plan else ()
    names = work.names
    return PairReport(
        name=work.name,
        changes=_would_change(work) if dry else outcome.changes,
        holds=(*work.holds, *held_names(work)) if plan else (),
        problems=work.plan.problems if work.plan else {},
        overruled=(*hours_lost, *_lost_names(work, dry=dry)),
        error=work.error or (names.error if names else None),
        linked=outcome.base is not None or outcome.names is not None,
        bitrix24_digest=_digest(work),
    )


def _digest(work: Work) -> str | None:
    """What Bitrix24 holds, in short; None where a failure keeps that from being known."""
    return content_digest(work.bitrix24) if work.error is None else None


def _would_change(work: Work) -> tuple[Change, ...]:
    """What a run would write: a dry one tells it, and so does the run itself."""
    hours = work.plan.changes if work.plan and work.error is None else ()
    renamed = [work.renaming.change] if work.renaming else []
    return in_order([*work.restored, *farewells(work), *hours, *renamed])


def _lost_names(work: Work, *, dry: bool) -> tuple[LostName, ...]:
    names = work.names
    if names is None:
        return ()
    planned = work.renaming.lost if dry and work.renaming else None
    return (planned,) if planned else tuple(names.told)


def held_names(work: Work) -> tuple[Hold, ...]:
    """The hold of the pair's name; that of an earlier run where this one could not read the names."""
    names = work.names
    if names is None:
        return ()
    if names.plan is None:
        return tuple(filter(is_about_names, work.memory.holds))
    return (names.hold,) if names.hold else ()


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Bitrix24's first."""
    return tuple(sorted(changes, key=lambda change: SIDES.index(change.side)))


def _streaks(work: Work) -> dict[str, Streak] | None:
    """What G7 counts after this run; None where that stays as it is."""
    if work.plan is not None and any(hold.kind == "oscillation" for hold in work.plan.holds):
        return None  # nothing was written, and what was counted is why
    counted = streaks(work.plan, work.memory.streaks) if work.plan is not None and work.applied else {}
    return counted if counted or work.memory.streaks else None
