"""One pair on its way through a run, and the sides that a run has stopped asking."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog

from slotbridge.errors import (
    AccessRefused,
    ApiError,
    BadAnswer,
    BudgetSpent,
    NotSent,
    OutcomeUnknown,
    SlotbridgeError,
    StoreError,
    WriteRefused,
)
from slotbridge.lenses.bitrix24 import own_terms, refused
from slotbridge.lenses.items import Odd, Ranges, TimeSlot
from slotbridge.lenses.terms import Terms
from slotbridge.reconcile.agreement import Agreement
from slotbridge.reconcile.earlier import doubted
from slotbridge.reconcile.model import Change, Hold, Overruled, Plan, Side, Snapshot, fingerprint
from slotbridge.reconcile.names import Renaming
from slotbridge.reconcile.rebase import distance, rebased
from slotbridge.reservekit import Booking
from slotbridge.settings import PairSettings
from slotbridge.store import Intent, Memory, Rescue
from slotbridge.sync.naming import Naming, is_known

Stop = Callable[[], bool]
"""Whether a run shall come to its end."""

E = TypeVar("E", bound=SlotbridgeError)

log = structlog.get_logger("slotbridge.sync")


@dataclass(slots=True)
class Work:
    """What is known of one pair so far. `read_at` is when ReserveKit was read, in seconds of the monotonic clock.

    `actual` is what Bitrix24 holds where that is not `bitrix24`: we wrote over an edit that had come in between, and
    plan for what was there before. `again` says that a write was followed by a new plan, `begun` that
    something was sent, `put_off` that the run was told to stop before that. `heals` lets a failed pair store its base
    nevertheless, since what was read back is known to be right; `goes_on` does so, too, and says that everything is
    written but what could not be, which keeps its row of the base. `closed`: ReserveKit's key turned out to be one that
    may not write, and nothing that was sent by it is under way any more. `late`, however, says that a creation was
    answered with an error that is none for certain: it may appear yet. `told` are the overruled edits that the history
    has already.

    `unheeded` says of an edit that came in between why it was not put back; `aside` are holds of what could not be.

    `known` says that it is known what Bitrix24 holds. `instead` is what it holds where a write of ours was broken off,
    and `bitrix24` what that took away; None else. `rescued`: nothing is missing after such a write; `doubt` is why
    that cannot be told. `names` is None where names do not follow. `patient` of a run that nobody watches.

    `bookings` are the upcoming ones as read at `booked_at`, like `read_at`; `booked` are the phrases about them.
    `leaving` and `stranded` are those of `Options`, as far as this run knows; `seen_off` are bookings that it has
    cancelled, `noted` the creations that it has sent. `turned_away` is to a customer's way to the wait list what
    `refused` is to the hours.
    """

    pair: PairSettings
    memory: Memory
    patient: bool = False
    bitrix24: Ranges = ()
    reservekit: tuple[TimeSlot | Odd, ...] = ()
    read_at: float = 0.0
    terms: Terms | None = None
    agreement: Agreement | None = None
    plan: Plan | None = None
    booked: dict[int, str] | None = None
    bookings: tuple[Booking, ...] = ()
    booked_at: float = -math.inf
    leaving: set[int] = field(default_factory=set)
    stranded: dict[int, str] = field(default_factory=dict)
    seen_off: set[int] = field(default_factory=set)
    noted: list[Intent] = field(default_factory=list)
    outage: str | None = None
    actual: Ranges | None = None
    again: bool = False
    begun: bool = False
    put_off: bool = False
    heals: bool = False
    goes_on: bool = False
    closed: bool = False
    late: bool = False
    applied: list[Change] = field(default_factory=list)
    told: list[Overruled] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    turned_away: dict[str, str] = field(default_factory=dict)
    error: SlotbridgeError | None = None
    known: bool = False
    instead: Ranges | None = None
    rescued: bool = False
    doubt: str | None = None
    unheeded: ApiError | None = None
    aside: tuple[Hold, ...] = ()
    names: Naming | None = None

    @property
    def name(self) -> str:
        """The pair's name."""
        return self.pair.name

    @property
    def needs_bitrix24(self) -> bool:
        """Whether Bitrix24 is to be read for it: hours that failed keep neither names nor a rescue from going on."""
        names_follow = self.names is not None and self.names.error is None
        return self.error is None or names_follow or self.memory.rescue is not None

    @property
    def snapshot(self) -> Snapshot:
        """Both sides as last read. Only to be asked of a pair without error."""
        return Snapshot(self.bitrix24, self.reservekit)

    @property
    def sets_bitrix24(self) -> bool:
        """Whether Bitrix24 holds other ranges than the plan wants there."""
        if self.plan is None or not (self.planned("bitrix24") or self.actual is not None):
            return False
        return Counter(self.in_bitrix24) != Counter(self.plan.bitrix24.items)

    @property
    def has_writes(self) -> bool:
        """Whether anything is to be written, as far as the present plan goes."""
        return self.error is None and (self.sets_bitrix24 or bool(self.planned("reservekit")))

    def fail(self, error: SlotbridgeError) -> None:
        """The first failure is the one that is told."""
        self.error = self.error or about(error, self.name)

    def tell_unheeded(self) -> None:
        """Nothing is missing and what was read back is known to be right; yet somebody may have to act."""
        if self.unheeded is not None and self.error is None:
            self.heals = True
            self.fail(self.unheeded)

    def keep_aside(self, refusal: str) -> None:
        """Ranges came in between that Bitrix24 would refuse; that is over as soon as it lists them no more (S5)."""
        reason = f"Bitrix24 would refuse to take back {refusal}"
        self.aside = (Hold("odd-range", reason, fingerprint("odd-range", "bitrix24"), self.name),)

    @property
    def holds(self) -> tuple[Hold, ...]:
        """What waits of the hours."""
        planned = self.plan.holds if self.plan is not None else ()
        known = {hold.id for hold in planned}
        return (*planned, *(hold for hold in self.aside if hold.id not in known))

    def note_applied(self, changes: Iterable[Change]) -> None:
        """These changes are known to have been executed."""
        self.applied.extend(changes)

    def go_on(self) -> None:
        """Bitrix24 did not take its part; the rest goes into the base (M10). A first sync stays one till the end."""
        self.goes_on = self.goes_on or self.memory.agreement is not None

    def look_for_rescue(self) -> None:
        """Where a write that was broken off took ranges away they count as there: nobody wished them away."""
        rescue = self.memory.rescue
        if rescue is None or not self.known or rescue.resource_id != self.pair.resource_id:
            return
        wished = self._rescued_from(rescue)
        self.doubt = self._doubt_about(rescue)
        self.rescued = wished is None and self.doubt is None
        if wished is not None:
            self.instead, self.bitrix24 = self.bitrix24, wished

    def _rescued_from(self, rescue: Rescue) -> Ranges | None:
        """What is wished there instead of what there is; None where nothing is missing.

        Whether the ranges came back after all, although nobody got to know, is told by what is there: it is nearer to
        them then than to what our write had left.
        """
        if Counter(self.bitrix24) == Counter(rescue.left):
            return rescue.ranges if Counter(rescue.ranges) != Counter(rescue.left) else None
        since_left, since_back = (distance(self.bitrix24, then) for then in (rescue.left, rescue.ranges))
        if not rescue.left or since_left >= since_back:
            return None
        wished = rebased(self.bitrix24, rescue.left, rescue.ranges)
        return wished if distance(wished, self.bitrix24) else None

    def _doubt_about(self, rescue: Rescue) -> str | None:
        """An update that leaves nothing is noted before it is sent. What somebody put there since may be all that they
        wish of what always was there, and may be what they put into a form that our update had emptied.
        """
        since_left, since_back = (distance(self.bitrix24, then) for then in (rescue.left, rescue.ranges))
        if rescue.left or not since_left or not since_back:
            return None
        if since_left >= since_back and not doubted(self.memory.holds):
            return None
        return "an update of the name was broken off, and may have deleted in Bitrix24 what is missing there now"

    @property
    def has_to_be_told(self) -> bool:
        """Whether a person has to tell what of the hours in Bitrix24 was wished away."""
        holds = self.plan.holds if self.plan is not None else ()
        return self.doubt is not None and (self.error is not None or any(hold.kind == "deletions" for hold in holds))

    @property
    def restored(self) -> tuple[Change, ...]:
        """What is to be set again in Bitrix24 before anything else, as changes."""
        if self.instead is None:
            return ()
        why = "an edit that a write of ours took away, and that could not be put back then"
        if not self.instead:
            why = "deleted by an update of the name that was broken off"
        wanted, there = Counter(self.bitrix24), Counter(self.instead)
        gone = [Change("bitrix24", "delete", own_terms(item), None, why) for item in (there - wanted).elements()]
        back = [Change("bitrix24", "create", None, own_terms(item), why) for item in (wanted - there).elements()]
        return (*gone, *back)

    @property
    def belongs_together(self) -> bool:
        """Whether nobody has to be asked first if this resource and this service are a pair: an id may be mistyped."""
        if self.plan is None:
            return is_known(self.pair, self.memory)
        return not any(hold.kind in ("first-sync", "agreement") for hold in self.plan.holds)

    @property
    def renaming(self) -> Renaming | None:
        """The name that is still to be written, if one is."""
        if self.names is None or not self.belongs_together:
            return None
        due = self.names.due
        # Another update would replace the note on what the broken one may have deleted.
        return None if due is not None and due.side == "bitrix24" and self.has_to_be_told else due

    def keep_name_back(self, refusal: str | None) -> None:
        """A name waits for as long as Bitrix24 would refuse to take all the ranges back after it (S5): it does so now,
        or some of them are such as it never takes.
        """
        if self.names is None or self.renaming is None or self.renaming.side != "bitrix24":
            return
        if odd := refused(self.in_bitrix24):
            refusal = f"Bitrix24 would refuse to take back {odd}"
        if refusal is not None:
            self.names.keep_back("odd-range", refusal)

    @property
    def in_bitrix24(self) -> Ranges:
        """What Bitrix24 holds, as far as that is known."""
        return self.bitrix24 if self.actual is None else self.actual

    def planned(self, side: Side) -> tuple[Change, ...]:
        """The changes that the plan has for a side."""
        return tuple(change for change in self.plan.changes if change.side == side) if self.plan else ()


def about(error: E, pair: str) -> E:
    """The same error, as a matter of one pair."""
    told = copy(error)
    told.pair = pair
    return told


class Failing(Protocol):
    """Something of a pair's that can fail by itself."""

    @property
    def name(self) -> str:
        """The pair's name."""

    def fail(self, error: SlotbridgeError) -> None:
        """The first failure is the one that is told."""


@contextmanager
def keeping_to(work: Failing) -> Iterator[None]:
    """Whatever goes wrong within is this pair's failure alone (W7), a bug of ours included; a lost memory is not."""
    try:
        with structlog.contextvars.bound_contextvars(pair=work.name):
            yield
    except (StoreError, WriteRefused):
        raise
    except SlotbridgeError as error:
        work.fail(error)
    except Exception as error:
        log.exception("pair.bug", pair=work.name)
        hint = "This is a bug in slotbridge; please report it with the log. Nothing more is written for this pair"
        work.fail(SlotbridgeError(f"internal error ({type(error).__name__})", hint=hint))


def never() -> bool:
    """For runs that nobody stops."""
    return False


class Circuits:
    """Sides that a run asks no more: a key that is refused or a server that is down fails every pair alike."""

    _PATIENCE = 3

    def __init__(self) -> None:
        self._open: dict[Side, ApiError] = {}
        self._strikes: dict[Side, int] = {}

    def check(self, side: Side) -> None:
        """Raises the error that made this run stop asking that side; it is about no item then, but about the side."""
        if side in self._open:
            told = copy(self._open[side])
            told.item = None
            raise told

    def passed(self, side: Side) -> None:
        """An answer came."""
        self._strikes[side] = 0

    def failed(self, side: Side, error: ApiError, *, at_large: bool = False) -> None:
        """A request failed: fatal for the side at once, or after several answers in a row that never came.

        Whatever refuses a request that is `at_large`, about no single item, refuses the next one as well.
        """
        if isinstance(error, WriteRefused):
            return
        self._strikes[side] = self._strikes.get(side, 0) + isinstance(error, OutcomeUnknown)
        lasting = at_large and not isinstance(error, OutcomeUnknown | BadAnswer)
        down = isinstance(error, AccessRefused | BudgetSpent | NotSent)
        if lasting or down or self._strikes[side] >= self._PATIENCE:
            self._open[side] = error
