"""Lines up base and both views: one row for each window, with what base, Bitrix24 and ReserveKit have of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from slotbridge.lenses.terms import Key, Seen
from slotbridge.reconcile.matching import best_overlaps
from slotbridge.reconcile.model import Link, Row
from slotbridge.week import Window


def align(
    links: Sequence[Link],
    bitrix24: Sequence[Seen],
    reservekit: Sequence[Seen],
    pending: frozenset[Window] = frozenset(),
) -> list[Row]:
    """Matches base, Bitrix24 and ReserveKit windows as multisets (M4, M5, M9).

    ReserveKit's are known by their slot id, wherever they went; Bitrix24's by content, since ranges keep no id.
    `pending` are windows whose creation was sent and never confirmed: such a slot is ours, not a second one.
    """
    slots = _match_slots(links, reservekit, pending)
    ranges = _match_ranges(links, bitrix24, slots)
    if len(links) == len(ranges) == len(slots) == len(bitrix24) == len(reservekit):
        return [Row(link, ranges[n], slots[n]) for n, link in enumerate(links)]
    alike = _new_and_equal(_free(bitrix24, ranges), _free(reservekit, slots))
    _match_by_overlap(links, reservekit, slots, {id(two) for _, two in alike})
    _match_by_overlap(links, bitrix24, ranges, {id(one) for one, _ in alike})
    rows = [Row(link, ranges.get(n), slots.get(n)) for n, link in enumerate(links)]
    new_ranges, new_slots = _free(bitrix24, ranges), _free(reservekit, slots)
    return rows + (_new_rows(new_ranges, new_slots) if new_ranges or new_slots else [])


def _match_slots(links: Sequence[Link], seen: Sequence[Seen], pending: frozenset[Window]) -> dict[int, Seen]:
    places: dict[Key, Seen] = {slot.key: slot for slot in seen}
    known = {link.slot_id for link in links}
    found: dict[int, Seen] = {}
    for number, link in enumerate(links):
        slot = places.get((link.slot_id, link.part))
        if link.part and pending and slot is not None and link.window in pending:
            # Its part after midnight was to become a slot of its own; if that slot is there, it is the one.
            fresh = (s for s in seen if s.window == link.window and s.key[0] not in known)
            slot = next(fresh, slot)
        if slot is not None:
            found[number] = slot
    _match_equal(links, seen, found, lambda link, slot: slot.capacity == link.max_bookings)
    return found


def _match_ranges(links: Sequence[Link], seen: Sequence[Seen], slots: dict[int, Seen]) -> dict[int, Seen]:
    found: dict[int, Seen] = {}
    _match_moved(links, seen, found, slots)
    alike = len({link.window for link in links}) < len(links)
    order: Sequence[int] = _telling_apart(links, seen, slots) if alike else range(len(links))
    # Before all else, equal windows are told apart by what is gone on both sides.
    for there in (True, False):
        some = [number for number in order if (number in slots) is there]
        _match_equal(links, seen, found, lambda link, one: one.capacity == link.slot_size, some)
    return found


def _telling_apart(links: Sequence[Link], seen: Sequence[Seen], slots: dict[int, Seen]) -> list[int]:
    """Which of equal windows is first taken to be still there in Bitrix24 (M9).

    On a day that lost windows, what vanished in Bitrix24 is what vanished in ReserveKit as well, and an edited slot is
    still there. On any other day one of them was edited, and then those that ReserveKit left alone are still there.
    """
    balance = Counter(one.window.weekday for one in seen)
    balance.subtract(link.window.weekday for link in links)

    def rank(number: int) -> int:
        link, slot = links[number], slots.get(number)
        if slot is None:
            return 2
        untouched = (slot.window, slot.capacity) == (link.window, link.max_bookings)
        return int(untouched == (balance[link.window.weekday] < 0))

    return sorted(range(len(links)), key=rank)


Same = Callable[[Link, Seen], bool]


def _match_equal(
    links: Sequence[Link], seen: Sequence[Seen], found: dict[int, Seen], same: Same, order: Iterable[int] | None = None
) -> None:
    """Matches equal windows, those of equal capacity first."""
    used = {id(one) for one in found.values()}
    free: dict[Window, list[Seen]] = {}
    for one in seen:
        if id(one) not in used:
            free.setdefault(one.window, []).append(one)
    open_links = [number for number in (range(len(links)) if order is None else order) if number not in found]
    waiting = []
    for number in open_links:
        candidates = free.get(links[number].window)
        if not candidates:
            continue
        match = next((one for one in candidates if same(links[number], one)), None)
        if match is None:
            waiting.append(number)
        else:
            candidates.remove(match)
            found[number] = match
    for number in waiting:
        if candidates := free[links[number].window]:
            found[number] = candidates.pop(0)


def _match_moved(links: Sequence[Link], seen: Sequence[Seen], found: dict[int, Seen], slots: dict[int, Seen]) -> None:
    """Slots that were moved, and whose move had already reached Bitrix24 when a run died.

    Only where Bitrix24 shows the new hours more often than the base does: the rest are windows that stayed. A match
    frees the hours it moved from, to which the neighbour may have moved.
    """
    moved = {n: slot.window for n, slot in slots.items() if slot.window != links[n].window}
    if not moved:
        return
    spare: dict[Window, list[Seen]] = {}
    for one in seen:
        spare.setdefault(one.window, []).append(one)
    staying = Counter(link.window for link in links)
    arrived = [n for n, to in moved.items() if len(spare.get(to, ())) > staying[to]]
    while arrived:
        number = arrived[0]
        found[number] = spare[moved.pop(number)].pop(0)
        staying[links[number].window] -= 1
        arrived = [n for n, to in moved.items() if len(spare.get(to, ())) > staying[to]]


def _match_by_overlap(
    links: Sequence[Link], seen: Sequence[Seen], found: dict[int, Seen], spoken_for: set[int]
) -> None:
    """Matches what is left by overlap on the same day (M4); `spoken_for` are windows that are new on both sides."""
    if len(found) == len(links) or len(found) == len(seen):
        return
    gone = [number for number in range(len(links)) if number not in found]
    appeared = [one for one in _free(seen, found) if id(one) not in spoken_for]
    for left, right in best_overlaps([links[n].window for n in gone], [one.window for one in appeared]):
        found[gone[left]] = appeared[right]


def _free(seen: Sequence[Seen], found: dict[int, Seen]) -> list[Seen]:
    """The windows that no row of the base has claimed."""
    used = {id(one) for one in found.values()}
    return [one for one in seen if id(one) not in used]


def _new_and_equal(ranges: Sequence[Seen], slots: Sequence[Seen]) -> list[tuple[Seen, Seen]]:
    """Windows that are new on both sides and equal: linked (M1), before either is taken for an edit of another.

    They may be our own creation, which a run carried across before it died.
    """
    left: dict[Window, list[Seen]] = {}
    for slot in slots:
        left.setdefault(slot.window, []).append(slot)
    return [(one, left[one.window].pop(0)) for one in ranges if left.get(one.window)]


def _new_rows(ranges: list[Seen], slots: list[Seen]) -> list[Row]:
    """Rows without a base: equal ones, then groups that overlap across the sides (S2), then those of one side alone."""
    rows = [Row(None, one, slot) for one, slot in _new_and_equal(ranges, slots)]
    for row in rows:
        ranges = [one for one in ranges if one is not row.bitrix24]
        slots = [slot for slot in slots if slot is not row.reservekit]
    groups = _groups(ranges, slots)
    pairs = dict(best_overlaps([one.window for one in ranges], [slot.window for slot in slots]))
    for place, one in enumerate(ranges):
        partner = pairs.get(place)
        rows.append(Row(None, one, slots[partner] if partner is not None else None, groups.get(("b", place))))
    partnered = set(pairs.values())
    for place, slot in enumerate(slots):
        if place not in partnered:
            rows.append(Row(None, None, slot, groups.get(("r", place))))
    return rows


def _groups(ranges: Sequence[Seen], slots: Sequence[Seen]) -> dict[tuple[str, int], int]:
    """Numbers the groups of windows that overlap across the sides; those that overlap none have no number."""
    groups: dict[tuple[str, int], int] = {}
    for left, one in enumerate(ranges):
        for right, slot in enumerate(slots):
            if not one.window.overlap(slot.window):
                continue
            mine, theirs = groups.get(("b", left)), groups.get(("r", right))
            number = mine if mine is not None else theirs if theirs is not None else left
            groups.update({member: number for member, group in groups.items() if group == theirs})
            groups["b", left] = groups["r", right] = number
    return groups
