"""The words of the merge: links of the base, options, verdicts, holds, plans. Frozen data, no behaviour to speak of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from slotbridge.lenses.items import Odd, Range, Ranges, TimeSlot
from slotbridge.lenses.terms import Problem, Rewrite, Seen, Terms
from slotbridge.week import Window

Side = Literal["bitrix24", "reservekit"]
Policy = Literal["hold", "bitrix24", "reservekit"]
Initial = Literal["hold", "merge", "bitrix24", "reservekit"]
Direction = Literal["both", "to-reservekit", "to-bitrix24"]
Capacity = Literal["derive", "fixed"]
HoldKind = Literal[
    "first-sync",
    "agreement",
    "conflict",
    "deletions",
    "booked",
    "duplicate",
    "odd-range",
    "unsupported",
    "read-only",
    "oscillation",
]

SIDES: tuple[Side, Side] = ("bitrix24", "reservekit")
NAMES: Mapping[Side, str] = {"bitrix24": "Bitrix24", "reservekit": "ReserveKit"}


def as_side(word: str | None) -> Side | None:
    """The side of that name, None for any other word."""
    sides: dict[str, Side] = {"bitrix24": "bitrix24", "reservekit": "reservekit"}
    return sides.get(word or "")


def other(side: Side) -> Side:
    """The side across."""
    return "reservekit" if side == "bitrix24" else "bitrix24"


class Link(NamedTuple):
    """One window of the base: what both sides agreed on, and what each of them stored for it.

    `part` is 1 for what a time slot has after midnight.
    """

    window: Window
    slot_size: int
    slot_id: int
    part: int
    max_bookings: int

    def capacity(self, side: Side) -> int:
        """What that side stored as its capacity."""
        return self.slot_size if side == "bitrix24" else self.max_bookings


class Snapshot(NamedTuple):
    """Both sides' items, each read in full. A failed or partial read has no snapshot (G4)."""

    bitrix24: Ranges
    reservekit: tuple[TimeSlot | Odd, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """What a pair's configuration says, and what this run knows beyond both sides' items.

    `decisions` maps fingerprints of holds to what a person decided: a side to keep, or "approve". `disagreement` says
    why the base is no agreement any more (M12), `misread` why what we created may be read by another clock than it was
    written by. `insisted` means that a person named `initial` for this run.
    `booked` maps slot ids to a phrase about their upcoming bookings (G3). `frozen` maps a side to the reason why
    nothing may be written there (W6). `pending` are windows whose creation was sent and never confirmed (W4), and
    `suspects` those whose creation was sent twice. `unseen` are those that were sent and may be there unread, each with
    the slots that were there before. `outage` is the reason of G5, `streaks` are what G7 counts.
    `doubt` is why windows that Bitrix24 lacks may have been deleted there by ourselves (W4).
    `leaving` are time slots whose customers are on their way to the wait list, so that there is no way back, `stranded`
    those whose customers cannot be put there now, with the reason.
    `waiting` are the rows of an open hold of G1 or G2, `waiting_for` its reason. `approved` is the open hold of
    deletions that a person has approved. `target` is an earlier base that both
    sides shall go back to. `underway` is how a first sync was begun that this run has to plan once more: what it has
    written itself is no reason to ask again.
    """

    pair: str = ""
    direction: Direction = "both"
    conflict: Policy = "hold"
    initial: Initial = "hold"
    slots: Literal["window", "split"] = "window"
    capacity: Capacity = "derive"
    max_bookings: int | None = None
    slot_minutes: int | None = None
    booked_slots: Literal["hold", "proceed", "waitlist"] = "hold"
    max_delete_ratio: float = 0.5
    max_delete_count: int = 3
    accept_deletes: bool = False
    insisted: bool = False
    disagreement: str | None = None
    misread: str | None = None
    decisions: Mapping[str, str] = field(default_factory=dict)
    booked: Mapping[int, str] = field(default_factory=dict)
    leaving: frozenset[int] = frozenset()
    stranded: Mapping[int, str] = field(default_factory=dict)
    frozen: Mapping[Side, str] = field(default_factory=dict)
    pending: frozenset[Window] = frozenset()
    suspects: frozenset[Window] = frozenset()
    unseen: tuple[tuple[Window, frozenset[int]], ...] = ()
    outage: str | None = None
    doubt: str | None = None
    streaks: Mapping[str, Any] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    waiting_for: str = ""
    approved: Hold | None = None
    target: tuple[Link, ...] | None = None
    underway: FirstSync | None = None

    @property
    def objection(self) -> str | None:
        """Why neither the base nor the configured `initial` counts: nobody has looked at this difference yet."""
        return self.disagreement or self.misread

    @property
    def source(self) -> Side | None:
        """The side that a one-way pair follows (M7)."""
        sources: dict[str, Side | None] = {"both": None, "to-reservekit": "bitrix24", "to-bitrix24": "reservekit"}
        return sources[self.direction]

    @property
    def capacity_travels(self) -> bool:
        """Whether an edited capacity is carried to the other side (C1, C4)."""
        return self.slots == "window" and self.capacity == "derive"


class Value(NamedTuple):
    """A window with one side's capacity."""

    window: Window
    capacity: int


class Row(NamedTuple):
    """What base and both sides have of one window, matched. `group` numbers the members of one first-time conflict."""

    link: Link | None = None
    bitrix24: Seen | None = None
    reservekit: Seen | None = None
    group: int | None = None

    def seen(self, side: Side) -> Seen | None:
        """What that side shows."""
        return self.bitrix24 if side == "bitrix24" else self.reservekit


class Overruled(NamedTuple):
    """An edit that a policy, a direction or a person overruled, kept whole for the history (M3)."""

    side: Side
    value: Value | None
    why: str


State = Literal["same", "write", "delete", "forgotten", "held", "kept"]


class Verdict(NamedTuple):
    """What is to become of one row: what each side should show (None for nothing), and why.

    `conflict` names the fields in conflict, `decided` says that a person has settled it, `expected` that a first sync
    found it on one side alone and its deletion waits: it goes into the base as if both had had it. `approved` are the
    holds that a person has approved for it.
    """

    row: Row
    bitrix24: Value | None
    reservekit: Value | None
    why: str
    state: State = "write"
    conflict: tuple[str, ...] = ()
    decided: bool = False
    expected: bool = False
    overruled: tuple[Overruled, ...] = ()
    approved: tuple[Hold, ...] = ()

    def want(self, side: Side) -> Value | None:
        """What that side should show."""
        return self.bitrix24 if side == "bitrix24" else self.reservekit

    def writes(self, side: Side) -> bool:
        """Whether that side has to be written for it."""
        seen, want = self.row.seen(side), self.want(side)
        return (seen is None) != (want is None) or (seen is not None and (seen.window, seen.capacity) != want)

    def deletes(self, side: Side) -> bool:
        """Whether it takes a window from that side."""
        return self.row.seen(side) is not None and self.want(side) is None


@dataclass(frozen=True, slots=True)
class Hold:
    """A change that waits for a person. `fingerprint` stands for exactly what was shown (G6)."""

    kind: HoldKind
    reason: str
    fingerprint: str
    pair: str
    items: tuple[Mapping[str, Any], ...] = ()

    @property
    def id(self) -> str:
        """A short name, the same as long as the hold is about the same thing."""
        return hashlib.sha256(f"{self.pair}|{self.kind}|{self.fingerprint}".encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Change:
    """One range or time slot to be written, `before` and `after` in that side's own terms."""

    side: Side
    op: Literal["create", "update", "delete"]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    why: str


class FirstSync(NamedTuple):
    """How a pair without a base is to be treated: which side to follow, or why it waits."""

    source: Side | None
    hold: HoldKind | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync would do to one pair, as data. `agreed` says whether its outcome may become the base.

    `first` is how a pair without a base is treated; None where there is one.
    """

    verdicts: tuple[Verdict, ...]
    bitrix24: Rewrite[Range | Odd]
    reservekit: Rewrite[TimeSlot | Odd]
    changes: tuple[Change, ...]
    holds: tuple[Hold, ...]
    problems: Mapping[Side, tuple[Problem, ...]]
    terms: Terms
    agreed: bool = True
    first: FirstSync | None = None

    @property
    def overruled(self) -> tuple[Overruled, ...]:
        """Every edit that the plan overrules."""
        return tuple(lost for verdict in self.verdicts for lost in verdict.overruled)

    @property
    def deletes(self) -> bool:
        """Whether it takes any window from either side."""
        return any(verdict.state == "delete" for verdict in self.verdicts)


def fingerprint(*parts: object) -> str:
    """A short digest of what a hold shows; equal for equal content, whatever the order in which it was met."""
    return hashlib.sha256("\n".join(sorted(map(repr, parts))).encode()).hexdigest()[:16]
