"""The week of a pair as both systems have it, next to each other, differences marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.text import Text

from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.plan import change_line, hold_lines
from slotbridge.cli.render.words import capacity_words, clean, plural
from slotbridge.errors import SIDE_NAMES, Side
from slotbridge.lenses import bitrix24 as ranges
from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.items import Range
from slotbridge.lenses.terms import Seen
from slotbridge.reconcile.model import SIDES, State, Verdict
from slotbridge.sync.report import change_as_json, hold_as_json
from slotbridge.week import DAY_NAMES, Window, clock, same_zone

if TYPE_CHECKING:
    from slotbridge.sync.bridge import Look

_SIGNS = {"": (" ", ""), "held": ("!", "bold yellow"), "kept": ("·", "yellow"), "differs": ("≠", "bold red")}
_BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): "·"}
_LEGEND = "█ both   ▀ only Bitrix24   ▄ only ReserveKit"
_CELL = 30
_DAYTIME = (6 * 60, 22 * 60)


def week_lines(look: Look, counsel: Counsel, *, picture: bool = False) -> Iterator[Text]:
    """The week line by line, Monday first. With `picture` a small drawing of every day comes first."""
    pair, rows = look.pair, week_rows(look)
    number = f"resource {pair.resource_id} and service {pair.service_id}, times in {look.plan.terms.zone}"
    yield Text.assemble((clean(pair.name), "bold"), f": {number}")
    if picture and rows:
        yield from _picture(rows)
    yield from _table(look, rows)
    for side in SIDES:
        for problem in look.plan.problems.get(side, ()):
            said = f"{SIDE_NAMES[side]}, {clean(problem.item)}: {clean(problem.reason)}"
            yield Text(f"  left as it is: {said}", "yellow")
    if look.restored:
        yield Text("  not yet in Bitrix24 as shown; the next sync sets first:", "yellow")
        yield from (change_line(change, "monday") for change in look.restored)
    yield Text(f"  {_verdict_words(rows)}{', once that is done' if look.restored else ''}")
    for hold in look.plan.holds:
        yield from hold_lines(hold, counsel, items=False, noted=False)


def week_rows(look: Look) -> list[Verdict]:
    """Every window that either side has, Monday first."""
    rows = [verdict for verdict in look.plan.verdicts if verdict.row.bitrix24 or verdict.row.reservekit]
    return sorted(rows, key=window_of)


def window_of(verdict: Verdict) -> Window:
    """The hours that a row stands under: Bitrix24's, or ReserveKit's where there are no others."""
    seen = verdict.row.bitrix24 or verdict.row.reservekit
    assert seen is not None, "rows without a window are left out"  # noqa: S101
    return seen.window


def difference(verdict: Verdict) -> str:
    """How the two sides of a row differ, in words; empty where they are in step."""
    one, two = verdict.row.bitrix24, verdict.row.reservekit
    if one is None or two is None:
        return f"only in {SIDE_NAMES['reservekit' if one is None else 'bitrix24']}"
    if one.window != two.window:
        return "hours differ"
    return "" if verdict.state == "same" else "capacity differs"


def week_json(look: Look) -> dict[str, Any]:
    """The week as the `show --json` document."""
    return {
        "version": 1,
        "pair": look.pair.name,
        "zone": look.plan.terms.zone,
        "windows": [_row_json(look, verdict) for verdict in week_rows(look)],
        "holds": [hold_as_json(hold) for hold in look.plan.holds],
        "restored": [change_as_json(change) for change in look.restored],
        "unsupported": [
            {"side": side, "item": problem.item, "reason": problem.reason}
            for side in SIDES
            for problem in look.plan.problems.get(side, ())
        ],
    }


def _row_json(look: Look, verdict: Verdict) -> dict[str, Any]:
    row = verdict.row
    base = None
    if row.link is not None:
        base = {**row.link.window._asdict(), "slotSize": row.link.slot_size, "max_bookings": row.link.max_bookings}
    sides = {side: own_item(look, side, seen) for side in SIDES if (seen := row.seen(side)) is not None}
    return {
        **window_of(verdict)._asdict(),
        "base": base,
        "bitrix24": sides.get("bitrix24"),
        "reservekit": sides.get("reservekit"),
        "state": verdict.state,
        "difference": difference(verdict) or None,
        "why": verdict.why,
    }


def own_item(look: Look, side: Side, seen: Seen) -> dict[str, Any]:
    """The item that shows a window, in its side's own terms, and the window as it is read from it."""
    if side == "bitrix24":
        item = ranges.own_terms(look.snapshot.bitrix24[seen.key[0]])
    else:
        found = (slot for slot in look.snapshot.reservekit if slot.id == seen.key[0])
        item = next((slots.own_terms(slot) for slot in found), {})
    return {**item, "window": seen.window._asdict()}


def _table(look: Look, rows: list[Verdict]) -> Iterator[Text]:
    if not rows:
        yield Text("  no hours on either side")
        return
    cells = [[_cell(look, side, verdict.row.seen(side)) for side in SIDES] for verdict in rows]
    heads = [SIDE_NAMES[side] for side in SIDES]
    widths = [max(len(head), *map(len, column)) for head, column in zip(heads, zip(*cells, strict=True), strict=True)]
    yield Text(f"        {heads[0]:{widths[0]}}  {heads[1]}", "bold")
    for verdict, (one, two) in zip(rows, cells, strict=True):
        sign, style = _SIGNS[_mark(verdict)]
        day = DAY_NAMES[window_of(verdict).weekday]
        line = f"{day}  {one:{widths[0]}}  {two:{widths[1]}}"
        remark = _remark(verdict)
        yield Text.assemble(
            " ", (sign, style), " ", line if remark else line.rstrip(), (remark and f"  {remark}", style)
        )


def _cell(look: Look, side: Side, seen: Seen | None) -> str:
    if seen is None:
        return "–"
    hours = f"{clock(seen.window.start)}–{clock(seen.window.end)}, {capacity_words(side, seen.capacity)}"
    return hours + (_foreign_zone(look, seen) if side == "bitrix24" else "")


def _foreign_zone(look: Look, seen: Seen) -> str:
    """The zone that a range is written in, if it is not the service's."""
    item = look.snapshot.bitrix24[seen.key[0]]
    if not isinstance(item, Range) or same_zone(item.timezone, look.plan.terms.zone):
        return ""
    return clean(f" ({clock(item.start)}–{clock(item.end)} {item.timezone})")


def _mark(verdict: Verdict) -> str:
    marks: dict[State, str] = {"held": "held", "kept": "kept"}
    return marks.get(verdict.state, "differs" if difference(verdict) else "")


def _remark(verdict: Verdict) -> str:
    """The difference, the reason, and what was agreed where that is something else."""
    words = difference(verdict)
    if not words and verdict.state == "same":
        return ""
    if verdict.state in ("held", "kept"):
        words = f"{words}, {verdict.state}" if words else verdict.state
    return f"{words}: {verdict.why}{_agreed(verdict)}"


def _agreed(verdict: Verdict) -> str:
    link = verdict.row.link
    if link is None:
        return ""
    if all(seen is None or seen.window == link.window for seen in (verdict.row.bitrix24, verdict.row.reservekit)):
        return ""
    return f" (agreed: {clock(link.window.start)}–{clock(link.window.end)})"


def _verdict_words(rows: list[Verdict]) -> str:
    differing = sum(_mark(verdict) != "" for verdict in rows)
    held = sum(verdict.state == "held" for verdict in rows)
    if not differing:
        return "in step"
    waiting = "" if not held else ", held" if held == differing else f", {held} held"
    return plural(differing, "difference") + waiting


def _picture(rows: list[Verdict]) -> Iterator[Text]:
    """One line a day, half an hour a character: upper half Bitrix24, lower half ReserveKit."""
    windows = [seen.window for verdict in rows for side in SIDES if (seen := verdict.row.seen(side))]
    first = min(_DAYTIME[0], *(window.start for window in windows)) // 60 * 60
    last = -(-max(_DAYTIME[1], *(window.end for window in windows)) // 60) * 60
    yield Text("       " + "".join(f"{hour:02d}  " for hour in range(first // 60, last // 60)).rstrip(), "dim")
    for weekday, name in enumerate(DAY_NAMES):
        bar = "".join(_block(rows, Window(weekday, start, start + _CELL)) for start in range(first, last, _CELL))
        yield Text(f"   {name} {bar}")
    yield Text(f"       {_LEGEND}", "dim")


def _block(rows: list[Verdict], cell: Window) -> str:
    seen = [[v.row.seen(side) for v in rows] for side in SIDES]
    one, two = (any(s is not None and s.window.overlap(cell) for s in side) for side in seen)
    return _BLOCKS[one, two]
