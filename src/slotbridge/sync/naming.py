"""A pair's names on their way through a run, apart from its hours: neither has to wait for the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from slotbridge.errors import SIDE_NAMES, AccessRefused, ApiError, Rejected, SlotbridgeError, is_final
from slotbridge.reconcile.model import SIDES, Change, Hold, Side
from slotbridge.reconcile.names import (
    MOST_SHOWN,
    LostName,
    Names,
    Profile,
    Renaming,
    follow,
    held_print,
    hold_renaming,
)
from slotbridge.settings import PairSettings
from slotbridge.store import Memory
from slotbridge.sync.repetition import held_off, within_the_hour


@dataclass(slots=True)
class Naming:
    """What both sides call a pair, and what the one that follows is to be given.

    `read_at` is when they were read, in seconds of the monotonic clock. `agreed` is what may become the base. `told`
    are the overruled edits that the history has already, `refused` the digests of what is not to be sent again, with
    the words for it. `items` are the resource and the service, for messages. `patient` as of `Work`.
    """

    name: str
    leader: Side
    memory: Memory
    items: Mapping[Side, str]
    base: Names | None = None
    patient: bool = False
    shown: Names | None = None
    read_at: float = 0.0
    plan: Renaming | None = None
    agreed: Names | None = None
    hold: Hold | None = None
    applied: list[Change] = field(default_factory=list)
    told: list[LostName] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    error: SlotbridgeError | None = None

    @classmethod
    def of(cls, pair: PairSettings, memory: Memory, *, patient: bool = False) -> Naming | None:
        """None for a pair whose names do not follow. What other items were called is no base (M12)."""
        if pair.names == "off":
            return None
        base = memory.names if memory.agreement is None or is_known(pair, memory) else None
        items: dict[Side, str] = {
            "bitrix24": f"resource {pair.resource_id}",
            "reservekit": f"service {pair.service_id}",
        }
        return cls(pair.name, pair.names, memory, items, base, patient)

    def fail(self, error: SlotbridgeError) -> None:
        """The first failure is the one that is told."""
        if self.error is None:
            self.error = copy(error)
            self.error.pair = self.name

    def show(self, names: Names, read_at: float, now: datetime) -> None:
        """Both sides were read, or read again: what follows from it. What was sent in vain is not sent again (W3).

        What the server has refused is, once an hour: a permission may have been given, or a type, since.
        """
        self.shown, self.read_at = names, read_at
        self.plan = plan = follow(self.base, names, self.leader)
        self.agreed = None if plan.fields else names
        known = self.memory.refused
        if plan.digest in known:
            self.refused = {plan.digest: known[plan.digest]}
            self.fail(not_taken(plan))
        elif name := held_off(plan.digest, known, now, patient=self.patient):
            self.refused = {name: known[name]}
            hint = "It is sent again once one of the names has changed, or an hour has passed"
            self.fail(Rejected(known[name], side=plan.side, item=self.items[plan.side], hint=hint))

    @property
    def due(self) -> Renaming | None:
        """What is still to be written, if anything is; `Work.renaming` knows whether it may be by now."""
        return None if self.error or self.hold or self.agreed else self.plan

    def keep_back(self, kind: Literal["read-only", "odd-range"], reason: str) -> None:
        """It waits until its side takes it."""
        if self.plan is not None and self.shown is not None:
            self.hold = hold_renaming(self.name, self.plan, self.shown, kind, reason)

    def conclude(self, found: Profile | ApiError, failure: ApiError | None, now: datetime) -> None:
        """The side shows `found` after it was written: that is what it stored, whatever the answer said (W3, W5).

        Raises what kept it from being read back.
        """
        plan, shown = self.plan, self.shown
        if isinstance(found, ApiError):
            raise failure or found
        if plan is None or shown is None:
            return
        done, rest = plan.reached(found), plan.towards(found)
        if done.fields:
            self.applied.append(done.change)
        if found == plan.after:
            self.agreed = shown.having(plan.side, found)
        if done.fields == plan.fields:
            return  # a field that was not sent may have been edited; that is for the next run
        if failure is not None and is_final(failure):
            denied = isinstance(failure, AccessRefused)
            self.refused = {within_the_hour(rest.digest, now, denied=denied): failure.words}
        elif failure is None and found == done.after:
            failure = not_taken(rest)
            self.refused = {rest.digest: failure.words}
        self.fail(failure or otherwise(rest))


def is_known(pair: PairSettings, memory: Memory) -> bool:
    """Whether hours were agreed on for just this resource and this service."""
    known = memory.agreement
    return known is not None and (known.resource_id, known.service_id) == (pair.resource_id, pair.service_id)


def otherwise(renaming: Renaming) -> ApiError:
    """The error of a name that shows neither what was there nor what was sent: once more tells whose doing it was."""
    hint = "Somebody may have edited it meanwhile: the next run sends it once more, and keeps the edit in the history"
    return ApiError(_in_vain(renaming), side=renaming.side, hint=hint)


def not_taken(renaming: Renaming) -> ApiError:
    """The error of a name that did not read back as it was sent."""
    emptied = f"{SIDE_NAMES[renaming.side]} may take an empty text for none at all: empty it there by hand"
    hint = "Look whether it alters texts, or another program does; it is not sent again until one of the sides changes"
    text = next(iter(renaming.fields.values()))
    return ApiError(_in_vain(renaming), side=renaming.side, hint=hint if text else emptied)


def _in_vain(renaming: Renaming) -> str:
    name, text = next(iter(renaming.fields.items()))
    return f'the {name} "{_short(text)}" was sent, and "{_short(getattr(renaming.before, name))}" is what it shows'


def _short(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def closed_to_names(memories: Iterable[Memory]) -> str | None:
    """Why the key could not change services in an earlier run, as far as these pairs remember it (W6)."""
    holds = (hold for memory in memories for hold in memory.holds if hold.kind == "read-only")
    return next((hold.reason for hold in holds if is_about_names(hold)), None)


def is_about_names(hold: Hold) -> bool:
    """Whether it is a renaming that is held, and not hours."""
    return hold.fingerprint in map(held_print, SIDES)
