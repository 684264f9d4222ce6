"""Writing what a run did to many pairs. Everything here happens inside one transaction of the caller's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Executable, bindparam, delete, func, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import col

from slotbridge.reconcile.agreement import Agreement
from slotbridge.reconcile.model import Change, Hold, Link, Overruled
from slotbridge.reconcile.names import LostName
from slotbridge.store import tables
from slotbridge.store.profiles import drop_rescues, replace_names
from slotbridge.store.recall import OPEN_OF_PAIRS, hold_of
from slotbridge.store.records import HoldsMoved, Outcome

SUSPECT_FOR: Final = timedelta(days=1)
"""How long a second slot like one that was created twice is taken for ours."""

# Made once: putting a statement together takes longer than executing it. What is set are the other parameters.
_CHANGE: Final = insert(tables.Change)
_PAST_BASE: Final = insert(tables.PastBase)
_LINK: Final = insert(tables.SlotLink)
_NEW_HOLD: Final = insert(tables.Hold)
_STATE: Final = update(tables.PairState).where(col(tables.PairState.pair) == bindparam("of"))
_HOLD: Final = update(tables.Hold).where(col(tables.Hold.id) == bindparam("of"))

_LEFT_OPEN: Final = update(tables.Intent).where(
    col(tables.Intent.pair).in_(tables.PAIRS), col(tables.Intent.settled_at).is_(None)
)
_SUSPECTS: Final = delete(tables.Intent).where(
    col(tables.Intent.pair).in_(tables.PAIRS), col(tables.Intent.settled_at) < bindparam("before")
)

_NO_LINKS: Final = delete(tables.SlotLink).where(col(tables.SlotLink.pair).in_(tables.PAIRS))

_ATTEMPT: Final = upsert(tables.PairState)
_DIGEST: Final[Any] = func.coalesce(_ATTEMPT.excluded.bitrix24_digest, tables.PairState.bitrix24_digest)
_SUCCEEDED: Final = _ATTEMPT.on_conflict_do_update(
    ["pair"],
    set_={
        name: _ATTEMPT.excluded[name]
        for name in ("last_attempt", "last_success", "last_error", "first_error", "failing_since", "failures")
    }
    | {"bitrix24_digest": _DIGEST},
)
_FAILED: Final = _ATTEMPT.on_conflict_do_update(
    ["pair"],
    set_={
        "last_attempt": _ATTEMPT.excluded.last_attempt,
        "last_error": _ATTEMPT.excluded.last_error,
        "first_error": func.coalesce(tables.PairState.first_error, _ATTEMPT.excluded.first_error),
        "failing_since": func.coalesce(tables.PairState.failing_since, _ATTEMPT.excluded.failing_since),
        "failures": col(tables.PairState.failures) + 1,
        "bitrix24_digest": _DIGEST,
    },
)


def remember(connection: Connection, run: int, outcomes: Sequence[Outcome]) -> HoldsMoved:
    """Stores the outcomes; says which holds began and which ended."""
    _note_attempts(connection, outcomes)
    _replace_bases(connection, run, outcomes)
    _replace_refusals(connection, outcomes)
    _execute_many(connection, _CHANGE, [row for one in outcomes for row in _history(run, one)])
    _settle_intents(connection, outcomes)
    replace_names(connection, outcomes)
    drop_rescues(connection, outcomes)
    return _move_holds(connection, outcomes)


def note_overruled(
    connection: Connection, run: int, pair: str, at: datetime, lost: Sequence[Overruled | LostName]
) -> None:
    """Stores overruled edits by themselves, ahead of the outcome that they belong to."""
    rows = [{"run": run, "pair": pair, "at": at} | _overruled(one) for one in lost]
    _execute_many(connection, _CHANGE, rows)


def _execute_many(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)


def _note_attempts(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    _execute_many(connection, _SUCCEEDED, [_attempt(one) for one in outcomes if one.status != "failed"])
    _execute_many(connection, _FAILED, [_attempt(one) for one in outcomes if one.status == "failed"])


def _attempt(one: Outcome) -> dict[str, Any]:
    failed = one.status == "failed"
    return {
        "pair": one.pair,
        "last_attempt": one.at,
        "last_success": None if failed else one.at,
        "last_error": one.error if failed else None,
        "first_error": one.error if failed else None,
        "failing_since": one.at if failed else None,
        "failures": int(failed),
        "bitrix24_digest": one.bitrix24_digest,
    }


def _settle_intents(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    done = {one.pair: one.at for one in outcomes if one.intents_done}
    if done:
        pairs, at = list(done), max(done.values())
        connection.execute(_LEFT_OPEN, {"pairs": pairs, "settled_at": at})
        connection.execute(_SUSPECTS, {"pairs": pairs, "before": at - SUSPECT_FOR})


def _replace_bases(connection: Connection, run: int, outcomes: Sequence[Outcome]) -> None:
    bases = {one.pair: one.base for one in outcomes if one.base is not None}
    if not bases:
        return
    agreements = [{"of": pair, "agreement": agreement._asdict()} for pair, (agreement, _) in bases.items()]
    links = [_link_row(pair, link) for pair, (_, links) in bases.items() for link in links]
    connection.execute(_NO_LINKS, {"pairs": list(bases)})
    past = [{"run": run, "pair": one.pair} | _past_base(one.past) for one in outcomes if one.base is not None]
    _execute_many(connection, _PAST_BASE, past)
    _execute_many(connection, _STATE, agreements)
    _execute_many(connection, _LINK, links)


def _past_base(past: tuple[Agreement, tuple[Link, ...]] | None) -> dict[str, Any]:
    if past is None:
        return {"agreement": None, "links": None}
    agreement, links = past
    return {"agreement": agreement._asdict(), "links": [[*link.window, *link[1:]] for link in links]}


def _link_row(pair: str, link: Link) -> dict[str, Any]:
    row = link._asdict()
    window = row.pop("window")
    return row | {"pair": pair, "weekday": window.weekday, "start_minute": window.start, "end_minute": window.end}


def _replace_refusals(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    rows = [
        {"of": one.pair, "refused": dict(one.refused), "refusal": None} for one in outcomes if one.refused is not None
    ]
    _execute_many(connection, _STATE, rows)
    counted = [{"of": one.pair, "streaks": one.streaks} for one in outcomes if one.streaks is not None]
    _execute_many(connection, _STATE, counted)


def _history(run: int, one: Outcome) -> Iterable[dict[str, Any]]:
    common = {"run": run, "pair": one.pair, "at": one.at}
    for change in one.changes:
        yield common | _applied(change)
    for lost in one.overruled:
        yield common | _overruled(lost)


def _applied(change: Change) -> dict[str, Any]:
    before, after = (None if terms is None else dict(terms) for terms in (change.before, change.after))
    row = {"side": change.side, "op": change.op, "before": before, "after": after}
    return row | {"why": change.why, "kind": "applied"}


def _overruled(lost: Overruled | LostName) -> dict[str, Any]:
    if isinstance(lost, LostName):
        row = {"side": lost.side, "op": "update", "before": dict(lost.fields), "after": None}
        return row | {"why": lost.why, "kind": "overruled"}
    value = None if lost.value is None else lost.value.window._asdict() | {"capacity": lost.value.capacity}
    row = {"side": lost.side, "op": "update" if value else "delete", "before": value, "after": None}
    return row | {"why": lost.why, "kind": "overruled"}


def _move_holds(connection: Connection, outcomes: Sequence[Outcome]) -> HoldsMoved:
    at = {one.pair: one.at for one in outcomes if one.holds is not None}
    shown = {(one.pair, hold.id): hold for one in outcomes for hold in one.holds or ()}
    known = {(row.pair, row.hold_id): row for row in connection.execute(OPEN_OF_PAIRS, {"pairs": list(at)})}
    began = {key: hold for key, hold in shown.items() if key not in known}
    ended = {key: row for key, row in known.items() if key not in shown}
    reworded = [(known[key].id, hold) for key, hold in shown.items() if key in known and hold_of(known[key]) != hold]

    _execute_many(connection, _NEW_HOLD, [_hold_row(hold) | {"since": at[pair]} for (pair, _), hold in began.items()])
    _execute_many(connection, _HOLD, [{"of": row.id, "ended_at": at[row.pair]} for row in ended.values()])
    _execute_many(connection, _HOLD, [{"of": number} | _hold_row(hold) for number, hold in reworded])
    return HoldsMoved(tuple(began.values()), tuple(map(hold_of, ended.values())))


def _hold_row(hold: Hold) -> dict[str, Any]:
    return {
        "hold_id": hold.id,
        "pair": hold.pair,
        "kind": hold.kind,
        "reason": hold.reason,
        "fingerprint": hold.fingerprint,
        "items": [dict(item) for item in hold.items],
    }
