"""What was read back shows of a plan: what it made, what was executed, what was lost, and what others wish for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from slotbridge.bitrix24 import SlotsWritten
from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.bitrix24 import refused
from slotbridge.lenses.items import Odd, Ranges, TimeSlot
from slotbridge.lenses.terms import ItemChange
from slotbridge.reconcile.model import Change, Plan, Side, Value
from slotbridge.reconcile.plan import wanted_of
from slotbridge.reconcile.rebase import rebased


def executed(plan: Plan, items: Sequence[TimeSlot | Odd]) -> Iterator[Change]:
    """The changes of ReserveKit that these items show to have been executed: by the id where there is one."""
    made, ids = made_of(plan, items), {item.id: item for item in items}
    changes = [change for change in plan.changes if change.side == "reservekit"]
    for change, item in zip(changes, plan.reservekit.changes, strict=True):
        if item.after is None:
            done = item.before is not None and item.before.id not in ids
        elif item.before is None:
            found = made.get(item.after)
            done = bool(found and found.pop())  # of two equal ones, each stands for one change
        else:
            done = item.after.id in ids and ids[item.after.id] != item.before
        if done:
            yield change


def replaced(
    before: Sequence[TimeSlot | Odd],
    sent: Sequence[Sequence[TimeSlot | Odd]],
    plan: Plan,
    after: Sequence[TimeSlot | Odd],
) -> int:
    """How many slots vanished that were not in the last of the requests, if all of them did: the server replaces."""
    if not sent:
        return 0
    there, last = {item.id for item in after}, {item.id for item in sent[-1]}
    deleted = {item.before.id for item in plan.reservekit.changes if item.after is None and item.before is not None}
    kept = {item.id for item in before} - last - deleted
    created = Counter(item for batch in sent[:-1] for item in batch if item.id is None)
    made = Counter({item: len(found) for item, found in made_of(plan, after).items()})
    made -= Counter(item for item in sent[-1] if item.id is None)
    if kept & there or created & made:
        return 0
    return len(kept) + created.total()


def is_as_before(plan: Plan, before: Sequence[TimeSlot | Odd], after: Sequence[TimeSlot | Odd]) -> bool:
    """Whether every slot is either as the plan has it or as it was: nothing came that was not meant."""
    known, now = {item.id: item for item in before}, {item.id: item for item in after}
    fresh = sum(item.id not in known for item in after)
    edited = [(item.before, meant) for item, meant in _meant(plan) if item.before and item.after]
    return fresh == sum(map(len, made_of(plan, after).values())) and all(
        now.get(old.id) == old or (old.id in now and _windows(now[old.id], plan) == meant) for old, meant in edited
    )


def made_of(plan: Plan, items: Sequence[TimeSlot | Odd]) -> dict[TimeSlot | Odd, list[TimeSlot | Odd]]:
    """The slots that the plan created and that are there now, by what was sent for them."""
    known = {change.before.id for change in plan.reservekit.changes if change.before is not None}
    known |= {item.id for item in plan.reservekit.items}
    found: dict[TimeSlot | Odd, list[TimeSlot | Odd]] = {}
    fresh = [item for item in items if item.id not in known]
    for change, meant in _meant(plan):
        if change.before is None and change.after is not None:
            match = next((item for item in fresh if _windows(item, plan) == meant), None)
            if match is not None:
                fresh.remove(match)
                found.setdefault(change.after, []).append(match)
    return found


def astray(plan: Plan, before: Sequence[TimeSlot | Odd], after: Sequence[TimeSlot | Odd]) -> frozenset[Value]:
    """What the plan creates, if nothing of it came as it was sent and slots came that may be what became of it.

    A request that is refused for one of its slots may be executed for the others (`reference/reservekit.md` 8).
    """
    known = {item.id for item in before}
    capacities = {value.capacity for item in after if item.id not in known for value in _windows(item, plan)}
    if made_of(plan, after):
        return frozenset()
    created = [value for change, meant in _meant(plan) if change.before is None for value in meant]
    return frozenset(value for value in created if value.capacity in capacities)


def anew(item: TimeSlot | Odd) -> TimeSlot | Odd:
    """The same slot without its id, to be created again."""
    if isinstance(item, Odd):
        return item
    return TimeSlot(None, item.day_of_week, item.start_time, item.end_time, item.max_bookings)


def _meant(plan: Plan) -> Iterator[tuple[ItemChange[TimeSlot | Odd], list[Value]]]:
    """What each change is to show. Its text does not tell: we may write by a clock that text of that form is not read
    by, as digits in UTC for a server that shows its times with a zone.
    """
    wanted = wanted_of("reservekit", plan.verdicts)
    for change in plan.reservekit.changes:
        yield change, sorted(Value(wanted[place].window, wanted[place].capacity) for place in change.gained)


def _windows(item: TimeSlot | Odd, plan: Plan) -> list[Value]:
    return sorted(Value(seen.window, seen.capacity) for seen in slots.view([item], plan.terms).windows)


def wished(written: SlotsWritten, left: Ranges | None, meant: Ranges) -> Ranges:
    """The ranges that somebody wants whose edit our set of `meant` went over.

    `left` is None where they edited what we had read. Where the set was to put back an earlier edit, they edited what
    the set before it had left, and neither edit is lost for the other.
    """
    before = written.before if left is None else rebased(written.before, left, meant)
    return rebased(written.after, meant, before)


def set_beside(written: SlotsWritten, meant: Ranges) -> Ranges | None:
    """The list that somebody else set at the same time as we did, if it stands beside ours now.

    Of two sets at once the portal may keep both lists (`reference/bitrix24.md` 2.3). Theirs has all that was there
    before; whoever adds something after our set repeats none of it.
    """
    extra = Counter(written.after) - Counter(meant)
    both = not Counter(meant) - Counter(written.after)
    if not written.before or refused(written.after):  # what the portal would not take back is not to be set anew
        return None
    return tuple(extra.elements()) if both and Counter(written.before) <= extra else None


def has_vanished(plan: Plan | None, side: Side) -> bool:
    """Whether the plan deletes a window because it is gone from that side, or creates it there once more.

    A listing may lack what is there (`reference/reservekit.md` 5): one would be a loss then, the other a double.
    """
    gone = (verdict for verdict in (plan.verdicts if plan else ()) if verdict.row.seen(side) is None)
    return any(verdict.state == "delete" or (verdict.row.link is not None and verdict.writes(side)) for verdict in gone)
