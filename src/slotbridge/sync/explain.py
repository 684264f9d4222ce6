"""What was read back and is not as it was meant to be, as an error that names the likely cause (W3, S8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from slotbridge.errors import NotKept
from slotbridge.lenses.terms import Problem, Seen, View, Wanted
from slotbridge.reconcile.model import Plan
from slotbridge.reconcile.plan import wanted_of
from slotbridge.reconcile.settle import Missing
from slotbridge.settings import ReserveKitSettings
from slotbridge.sync.causes import Slot, less, likely_cause


def not_as_sent(
    plan: Plan, missing: Sequence[Missing], before: View, after: View, *, settings: ReserveKitSettings
) -> NotKept:
    """The error of a pair whose writes did not read back as they were sent; ReserveKit as seen before and after."""
    there, came = _ids(after), _came(before, after)
    asked = {miss.value.window for miss in missing if miss.value is not None}
    sent = [slot for slot in _sent(plan) if slot in came or (slot.id in there and asked & set(slot.windows))]
    lost = less(sent, came)
    windows = {window for slot in lost for window in slot.windows}
    gone = [miss for miss in missing if miss.value is not None and miss.value.window not in windows]
    stay = [miss for miss in missing if miss.value is None]
    divisible = settings.patch == "changed" and settings.max_batch > 1
    told: list[tuple[str, str]] = []
    if lost:
        what = f"{lost[0]} with max_bookings {lost[0].capacity} was sent and did not come back as sent{_more(lost)}"
        told.append((what, likely_cause(sent, came, _unread(before, after), divisible=divisible)))
    if gone:
        what = f"{_window(gone[0])} was to be there and is not{_more(gone)}"
        told.append((what, "Look whether somebody, or another program, changes this service"))
    if stay:
        what = f"{_window(stay[0])} was deleted and is still there{_more(stay)}"
        told.append((what, "Look whether bookings, or another program, keep it"))
    item = _item(lost[0].id if lost else _slot_id(missing[0]))
    whats, hints = zip(*told, strict=True)
    return NotKept("; ".join(whats), side="reservekit", item=item, hint=". ".join(hints))


def _sent(plan: Plan) -> Iterator[Slot]:
    """What is created and edited, by what it is to show: its text is read by whatever clock the server turns out to
    have."""
    wanted = wanted_of("reservekit", plan.verdicts)
    for change in plan.reservekit.changes:
        if change.gained:
            known = change.before.id if change.before is not None else None
            yield _slot(known or 0, [wanted[place] for place in change.gained])


def _came(before: View, after: View) -> list[Slot]:
    """The slots that are new, with the id 0, or different."""
    known, then = _ids(before), set(_slots(before))
    return [slot if slot.id in known else slot._replace(id=0) for slot in _slots(after) if slot not in then]


def _unread(before: View, after: View) -> list[Problem]:
    """The items that cannot be read and are new, then without an id, or different."""
    known = _ids(before)
    fresh = [problem for problem in after.problems if problem not in before.problems]
    return [problem if problem.slot_id in known else replace(problem, slot_id=None) for problem in fresh]


def _ids(view: View) -> set[int]:
    """The ids of all items, and 0, which stands for a new one."""
    return {0, *(seen.key[0] for seen in view.windows), *(problem.slot_id or 0 for problem in view.problems)}


def _slots(view: View) -> Iterator[Slot]:
    parts: dict[int, list[Seen]] = {}
    for seen in view.windows:
        parts.setdefault(seen.key[0], []).append(seen)
    return (_slot(slot_id, own) for slot_id, own in parts.items())


def _slot(slot_id: int, parts: Sequence[Seen] | Sequence[Wanted]) -> Slot:
    """Its parts in the order of time, in one piece."""
    window, capacity = parts[0].window, parts[0].capacity
    return Slot(slot_id, window.weekday, window.start, sum(part.window.length for part in parts), capacity)


def _window(missing: Missing) -> str:
    shown = missing.value or missing.row.reservekit
    return str(shown.window) if shown is not None else "a window"


def _slot_id(missing: Missing) -> int:
    return missing.row.reservekit.key[0] if missing.row.reservekit is not None else 0


def _item(slot_id: int) -> str:
    return f"time slot {slot_id}" if slot_id else "a new time slot"


def _more(things: Sequence[object]) -> str:
    return f", and {len(things) - 1} more" if len(things) > 1 else ""
