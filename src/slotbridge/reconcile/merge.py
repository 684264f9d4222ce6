"""One row decided: what each side should show of one window, and why (M1–M3, M7, C1–C4, S1–S4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from slotbridge.lenses.terms import Seen
from slotbridge.reconcile.model import (
    NAMES,
    Link,
    Options,
    Overruled,
    Row,
    Side,
    Value,
    Verdict,
    as_side,
    fingerprint,
    other,
)
from slotbridge.week import Window

_CAPACITY_NAMES: Mapping[Side, str] = {"bitrix24": "slotSize", "reservekit": "max_bookings"}


def converted(window: Window, capacity: int) -> int:
    """The other side's capacity for a window: how many steps fit, or how long each of so many is (C1).

    The formula is the same both ways. A slotSize of 0 is one step as long as the window.
    """
    return max(1, window.length // capacity) if capacity else 1


def new_capacity(side: Side, window: Window, capacity: int, options: Options) -> int:
    """The capacity a window gets on `side` when it is new there; `capacity` is the other side's (C1, C4)."""
    if options.slots == "split":
        return window.length if side == "bitrix24" else options.max_bookings or 1
    fixed = options.slot_minutes if side == "bitrix24" else options.max_bookings
    return fixed if options.capacity == "fixed" and fixed is not None else converted(window, capacity)


def decide(row: Row, options: Options, source: Side | None = None) -> Verdict:
    """What is to become of one row. `source` is the side to be followed, None for both ways."""
    link, one, two, _ = row
    if link is None:
        return _decide_new(row, options, source)
    if one is None and two is None:
        return Verdict(row, None, None, "deleted on both sides", "forgotten")
    if two is None and one is not None:
        return _decide_half_gone(row, link, "bitrix24", one, options, source)
    if one is None and two is not None:
        return _decide_half_gone(row, link, "reservekit", two, options, source)
    return _decide_present(row, link, one, two, options, source)  # type: ignore[arg-type]


def _decide_present(row: Row, link: Link, one: Seen, two: Seen, options: Options, source: Side | None) -> Verdict:
    if one.window == two.window == link.window and (one.capacity, two.capacity) == (link.slot_size, link.max_bookings):
        return Verdict(row, Value(one.window, one.capacity), Value(two.window, two.capacity), "unchanged", "same")
    both = _follow(row, link, one, two, source, options) if source else _merge(row, link, one, two, options)
    idle = not (both.conflict or both.writes("bitrix24") or both.writes("reservekit"))
    return both._replace(state="same") if idle else both


def restore(row: Row, options: Options) -> Verdict:
    """Going back to an earlier base: `row.link` is what both sides had then, None for what was not there yet."""
    link = row.link
    if link is None:
        gone = Verdict(row, None, None, "was not there before", "delete")
        return gone if row.bitrix24 or row.reservekit else gone._replace(state="forgotten")
    size = link.window.length if options.slots == "split" else link.slot_size
    back = Verdict(row, Value(link.window, size), Value(link.window, link.max_bookings), "as it was before")
    return back if back.writes("bitrix24") or back.writes("reservekit") else back._replace(state="same")


def row_fingerprint(row: Row) -> str:
    """Stands for what base and both sides show of a window."""
    seen = [(side, s.window, s.capacity) if (s := row.seen(side)) else (side, None) for side in NAMES]
    link = row.link and (row.link.window, row.link.slot_size, row.link.slot_id, row.link.max_bookings)
    return fingerprint(link, *seen)


def _decide_new(row: Row, options: Options, source: Side | None) -> Verdict:
    """A window without a base: created across, linked, in conflict, or overruled by the side that is followed."""
    one, two = row.bitrix24, row.reservekit
    if one is not None and two is not None and one.window == two.window:
        return Verdict(row, _value(one), _value(two), "equal on both sides", "same")
    if row.group is not None and source is None:
        return Verdict(row, _value(one), _value(two), "different on both sides", conflict=("hours",))
    side: Side = source or ("bitrix24" if one is not None else "reservekit")
    seen, across = row.seen(side), row.seen(other(side))
    if seen is None:
        lost = Overruled(other(side), _value(across), f"{NAMES[side]} is followed and has no such window")
        return Verdict(row, None, None, f"not in {NAMES[side]}", "delete", overruled=(lost,))
    want = Value(seen.window, new_capacity(other(side), seen.window, seen.capacity, options))
    overruled = (Overruled(other(side), _value(across), f"{NAMES[side]} wins"),) if across else ()
    why = f"as in {NAMES[side]}" if across else f"new in {NAMES[side]}"
    return _verdict(row, {side: _value(seen), other(side): want}, why, overruled=overruled)


def _decide_half_gone(row: Row, link: Link, here: Side, seen: Seen, options: Options, source: Side | None) -> Verdict:
    """Gone on one side: deleted on the other, unless an edit there beats the deletion (M1, M2)."""
    gone = other(here)
    if gone == "reservekit" and link.window in options.pending:
        return _decide_new(Row(None, row.bitrix24), options, source)
    edited = seen.window != link.window or seen.capacity != link.capacity(here)
    follows_deletion = (gone == source) if source else not edited or options.conflict == gone
    if follows_deletion:
        why = f"deleted in {NAMES[gone]}"
        lost = (Overruled(here, _value(seen), f"{why} wins over the edit"),) if edited else ()
        return Verdict(row, None, None, why, "delete", overruled=lost)
    want = Value(seen.window, _restored(gone, seen, link, options))
    why = f"edited in {NAMES[here]}, which wins over its deletion in {NAMES[gone]}"
    if source:
        why = f"deleted in {NAMES[gone]}, which follows {NAMES[source]}"
    return _verdict(row, {here: _value(seen), gone: want}, why)


def _restored(side: Side, seen: Seen, link: Link, options: Options) -> int:
    """The capacity of a window that is created again: its base's (S4), unless capacity is what was edited (C2)."""
    if options.slots == "split" and side == "bitrix24":
        return seen.window.length
    if options.capacity_travels and seen.capacity != link.capacity(other(side)):
        return converted(seen.window, seen.capacity)
    return link.capacity(side)


Origin = Literal["bitrix24", "reservekit", "both", "conflict"] | None
"""Where a field's change comes from: a side, "both" for the same one, "conflict", or None for no change."""


def _origin(bitrix24: bool, reservekit: bool, same: bool) -> Origin:
    if not (bitrix24 or reservekit):
        return None
    if same:
        return "both"
    if bitrix24 and reservekit:
        return "conflict"
    return "bitrix24" if bitrix24 else "reservekit"


def _merge(row: Row, link: Link, one: Seen, two: Seen, options: Options) -> Verdict:
    """Present on both sides: each field's change travels; the same field changed differently is a conflict (M2)."""
    hours = _origin(one.window != link.window, two.window != link.window, one.window == two.window)
    decided = as_side(options.decisions.get(row_fingerprint(row)) if options.decisions else None)
    winner = decided or as_side(options.conflict)
    hours_winner = winner if hours == "conflict" else hours
    window = (two if hours_winner == "reservekit" else one if hours_winner else link).window
    capacity = _capacity_origin(link, one, two, window, options)
    conflict = tuple(name for name, origin in (("hours", hours), ("capacity", capacity)) if origin == "conflict")
    if conflict and winner is None:
        why = f"{' and '.join(conflict)} changed on both sides"
        return Verdict(row, _value(one), _value(two), why, conflict=conflict)
    wants = _wants(one, two, window, hours_winner, winner if capacity == "conflict" else capacity)
    overruled: tuple[Overruled, ...] = ()
    if conflict and winner is not None:
        loser = other(winner)
        lost = f"conflict in {' and '.join(conflict)}: {NAMES[winner]} wins"
        overruled = (Overruled(loser, _value(row.seen(loser)), lost),)
    if not options.capacity_travels:
        wants = {"bitrix24": Value(window, _own(one, window, options)), "reservekit": Value(window, two.capacity)}
    why = _why(hours, capacity, conflict, winner)
    return _verdict(row, wants, why, overruled=overruled)._replace(decided=decided is not None)


def _own(one: Seen, window: Window, options: Options) -> int:
    return window.length if options.slots == "split" else one.capacity


def _capacity_origin(link: Link, one: Seen, two: Seen, window: Window, options: Options) -> Origin:
    """Where a capacity change comes from. What already is what the conversion would give is no second change (S3)."""
    if not options.capacity_travels:
        return None
    agree = converted(window, one.capacity) == two.capacity or converted(window, two.capacity) == one.capacity
    return _origin(one.capacity != link.slot_size, two.capacity != link.max_bookings, agree)


def _wants(one: Seen, two: Seen, window: Window, hours: Origin, capacity: Origin) -> dict[Side, Value]:
    """Each side's value for the settled hours: only what was edited travels (C2, S1)."""
    size, bookings = one.capacity, two.capacity
    if capacity == "reservekit":
        size = converted(window, bookings)
    elif capacity == "bitrix24" or (capacity is None and hours == "bitrix24"):
        bookings = converted(window, size)
    return {"bitrix24": Value(window, size), "reservekit": Value(window, bookings)}


def _why(hours: Origin, capacity: Origin, conflict: tuple[str, ...], winner: Side | None) -> str:
    said = []
    if side := as_side(hours):
        said.append(f"hours edited in {NAMES[side]}")
    if side := as_side(capacity):
        said.append(f"{_CAPACITY_NAMES[side]} edited in {NAMES[side]}")
    if conflict and winner:
        said.append(f"{' and '.join(conflict)} edited on both sides, {NAMES[winner]} wins")
    return ", ".join(said) or "edited alike on both sides"


def _follow(row: Row, link: Link, one: Seen, two: Seen, source: Side, options: Options) -> Verdict:
    """One way: the target becomes what the source says, as if it had not been edited (M7)."""
    target = other(source)
    seen, across = (one, two) if source == "bitrix24" else (two, one)
    capacity = link.capacity(target) if options.capacity_travels else across.capacity
    untouched = across._replace(window=link.window, capacity=capacity)
    alike = across.window == seen.window and converted(seen.window, seen.capacity) == across.capacity
    supposed = across if alike and seen != _as_linked(link, source, seen) else untouched
    pair = (seen, supposed) if source == "bitrix24" else (supposed, seen)
    verdict = _merge(row, link, *pair, options)
    want = verdict.want(target)
    if want is None or (across.window, across.capacity) in (want, (link.window, link.capacity(target))):
        return verdict
    why = f"edited in {NAMES[target]}, which follows {NAMES[source]}"
    return verdict._replace(why=why, overruled=(Overruled(target, _value(across), why),))


def _as_linked(link: Link, side: Side, seen: Seen) -> Seen:
    return seen._replace(window=link.window, capacity=link.capacity(side))


def _value(seen: Seen | None) -> Value | None:
    return None if seen is None else Value(seen.window, seen.capacity)


def _verdict(
    row: Row, wants: Mapping[Side, Value | None], why: str, *, overruled: tuple[Overruled, ...] = ()
) -> Verdict:
    return Verdict(row, wants["bitrix24"], wants["reservekit"], why, overruled=overruled)
