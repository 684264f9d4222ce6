"""What goes into the store and what comes out of it, as plain data. All times are aware, in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from slotbridge.errors import Side
from slotbridge.lenses.items import Ranges
from slotbridge.reconcile.agreement import Agreement
from slotbridge.reconcile.model import Change, Hold, Link, Overruled
from slotbridge.reconcile.names import LostName, Names
from slotbridge.reconcile.oscillation import Streak
from slotbridge.store.customers import Moved
from slotbridge.week import Window

Status = Literal["quiet", "changed", "held", "failed"]
Decision = Literal["bitrix24", "reservekit", "merge", "approve"]


@dataclass(frozen=True, slots=True)
class Intent:
    """A creation of time slots, noted before it is sent (W4).

    `windows` are those to be created, each with its max_bookings. `known_ids` are the service's slot ids before
    sending. Until `wait_until` the request may still be executed.
    """

    sent_at: datetime
    wait_until: datetime
    windows: tuple[tuple[Window, int], ...]
    known_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rescue:
    """Ranges that a write of ours takes from a resource although nobody wished them away; `since` is when they were.

    `left` are those that it leaves in their place: none after an update of the name, and those that we had set where
    somebody's edit came in before.
    """

    resource_id: int
    ranges: Ranges
    since: datetime
    left: Ranges = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one pair; `Memory()` for a pair never seen.

    No `agreement` means no base. `links` are sorted. `holds` are the open ones; `decisions` maps their fingerprints to
    what a person decided. `suspects` are windows whose creation was sent more than once in the last day, because an
    answer got lost: a second equal slot may be ours. `refused` has the digests of writes that were refused, or did not
    read back as they were sent, and are not to be sent again (W3), each with the words for it. `streaks` counts what is
    written run after run (G7). `failures` counts those since the last success. `names` are what both sides called it
    when they last agreed. `rescue` is there while nobody has seen that an update of ours left the ranges in place.
    `customers` are those on their way to the wait list. `bitrix24_digest` is what Bitrix24 held when that was last
    known, in short.
    """

    agreement: Agreement | None = None
    links: tuple[Link, ...] = ()
    decisions: Mapping[str, str] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    intents: tuple[Intent, ...] = ()
    suspects: frozenset[Window] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    streaks: Mapping[str, Streak] = field(default_factory=dict)
    last_attempt: datetime | None = None
    last_success: datetime | None = None
    last_error: str | None = None
    first_error: str | None = None
    failing_since: datetime | None = None
    failures: int = 0
    names: Names | None = None
    rescue: Rescue | None = None
    customers: tuple[Moved, ...] = ()
    bitrix24_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run did to one pair.

    `base` is the new one, None for no change. `holds` are all that are open now; None when that is not known, because
    the pair failed before it was planned. `refused` replaces what is stored; None leaves it.
    `streaks` replaces what is counted for G7. `past` is the base that `base` replaces, if there was one: it is kept, so
    that the run can be undone. `intents_done` settles the pair's intents. `names` is the new base of names, None for no
    change, and `leader` the side that they follow. `bitrix24_digest` is what Bitrix24 holds now, in short; None leaves
    what is stored. `rescued` drops the note on ranges that an update might have
    deleted. A failed pair may have changes all the same.
    """

    pair: str
    at: datetime
    status: Status
    error: str | None = None
    base: tuple[Agreement, tuple[Link, ...]] | None = None
    changes: tuple[Change, ...] = ()
    overruled: tuple[Overruled | LostName, ...] = ()
    holds: tuple[Hold, ...] | None = None
    refused: Mapping[str, str] | None = None
    streaks: Mapping[str, Streak] | None = None
    past: tuple[Agreement, tuple[Link, ...]] | None = None
    intents_done: bool = False
    names: Names | None = None
    leader: Side | None = None
    rescued: bool = False
    bitrix24_digest: str | None = None


class HoldsMoved(NamedTuple):
    """The holds that began and those that ended; both are worth a log event (G6)."""

    began: tuple[Hold, ...]
    ended: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """An open hold, since when, and what a person decided about it, if anybody did; the next run applies that (S11)."""

    hold: Hold
    since: datetime
    decision: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One entry of the history: a change that was applied, or an edit that was overruled.

    Of an applied one, `before` and `after` are in that side's own terms. Of an overruled one, `before` is the edit that
    was lost, as weekday, start, end and capacity, and None where it was a deletion (`op` is "delete" then); or it is
    the name and description, as far as they were edited. A resource type has its changes under "resource type 1".
    """

    id: int
    run: int
    pair: str
    at: datetime
    side: Side
    op: Literal["create", "update", "delete"]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    why: str
    kind: Literal["applied", "overruled"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. `finished_at` is None of one that is under way or was killed. `pairs` counts pairs by status."""

    id: int
    trigger: str
    started_at: datetime
    finished_at: datetime | None
    requests: Mapping[Side, int]
    pairs: Mapping[str, int]
