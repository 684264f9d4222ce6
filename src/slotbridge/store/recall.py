"""Reading the memory of many pairs with few queries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection
from sqlmodel import col

from slotbridge.reconcile.agreement import Agreement
from slotbridge.reconcile.model import Hold, Link
from slotbridge.reconcile.oscillation import Streak
from slotbridge.store import tables
from slotbridge.store.customers import on_the_way
from slotbridge.store.profiles import names_of, rescues_of
from slotbridge.store.records import HoldRecord, Intent, Memory
from slotbridge.week import Window

# Made once, as all that is executed with every run: putting a statement together takes longer than executing it.
_OPEN: Final = tables.rows_of(tables.Hold).where(col(tables.Hold.ended_at).is_(None)).order_by(col(tables.Hold.id))
OPEN_OF_PAIRS: Final = _OPEN.where(col(tables.Hold.pair).in_(tables.PAIRS))
_INTENTS: Final = tables.rows_of_pairs(tables.Intent).order_by(col(tables.Intent.id))


def recall(connection: Connection, pairs: Sequence[str]) -> dict[str, Memory]:
    """The memory of each of these pairs."""
    found = connection.execute(tables.rows_of_pairs(tables.PairState), {"pairs": pairs})
    states = {row.pair: row for row in found}
    links = _links(connection, pairs)
    intents = _intents(connection, pairs)
    holds: defaultdict[str, list[HoldRecord]] = defaultdict(list)
    for record in open_holds(connection, pairs):
        holds[record.hold.pair].append(record)
    names, rescues = names_of(connection, pairs), rescues_of(connection, pairs)
    customers = on_the_way(connection, pairs)
    return {
        pair: _memory(
            states.get(pair),
            links[pair],
            holds[pair],
            intents[pair],
            names=names.get(pair),
            rescue=rescues.get(pair),
            customers=customers[pair],
        )
        for pair in pairs
    }


def open_holds(connection: Connection, pairs: Sequence[str] | None = None) -> list[HoldRecord]:
    """The open holds of these pairs, or of all, the oldest first."""
    found = connection.execute(_OPEN) if pairs is None else connection.execute(OPEN_OF_PAIRS, {"pairs": pairs})
    return [HoldRecord(hold_of(row), row.since, row.decision, row.decided_at) for row in found]


def hold_of(row: Any) -> Hold:
    """The hold that a row of its table stands for."""
    return Hold(row.kind, row.reason, row.fingerprint, row.pair, tuple(row.items))


def _links(connection: Connection, pairs: Sequence[str]) -> defaultdict[str, list[Link]]:
    found: defaultdict[str, list[Link]] = defaultdict(list)
    rows = connection.execute(tables.rows_of_pairs(tables.SlotLink), {"pairs": pairs})
    for _, pair, weekday, start, end, *rest in rows:
        found[pair].append(Link(Window(weekday, start, end), *rest))
    return found


def _intents(connection: Connection, pairs: Sequence[str]) -> defaultdict[str, list[tuple[Intent, bool]]]:
    """Every intent with whether it is settled, the oldest first."""
    found: defaultdict[str, list[tuple[Intent, bool]]] = defaultdict(list)
    for row in connection.execute(_INTENTS, {"pairs": pairs}):
        windows = tuple((Window(*where), capacity) for *where, capacity in row.windows)
        intent = Intent(row.sent_at, row.wait_until, windows, tuple(row.known_ids))
        found[row.pair].append((intent, row.settled_at is not None))
    return found


def _suspects(intents: list[tuple[Intent, bool]]) -> frozenset[Window]:
    sent = Counter(window for intent, _ in intents for window, _ in intent.windows)
    return frozenset(window for window, times in sent.items() if times > 1)


def _refused(stored: Mapping[str, str] | Sequence[str] | None, words: str | None) -> Mapping[str, str]:
    """Each digest with its words. A row of an older version has a list, and one text for all of it."""
    return stored if isinstance(stored, Mapping) else dict.fromkeys(stored or (), words or "")


def _memory(
    state: Any, links: list[Link], holds: list[HoldRecord], intents: list[tuple[Intent, bool]], **more: Any
) -> Memory:
    waiting: dict[str, Any] = {
        **more,
        "holds": tuple(record.hold for record in holds),
        "decisions": {record.hold.fingerprint: record.decision for record in holds if record.decision is not None},
        "intents": tuple(intent for intent, settled in intents if not settled),
        "suspects": _suspects(intents),
    }
    if state is None:
        return Memory(**waiting)
    return Memory(
        agreement=None if state.agreement is None else Agreement(**state.agreement),
        links=tuple(sorted(links)),
        refused=_refused(state.refused, state.refusal),
        streaks={name: Streak(*streak) for name, streak in (state.streaks or {}).items()},
        last_attempt=state.last_attempt,
        last_success=state.last_success,
        last_error=state.last_error,
        first_error=state.first_error,
        failing_since=state.failing_since,
        failures=state.failures,
        bitrix24_digest=state.bitrix24_digest,
        **waiting,
    )
