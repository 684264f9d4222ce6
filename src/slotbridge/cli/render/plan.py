"""A run in words: what was done to each pair, or would be, what waits and how to decide it, what failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from rich.text import Text

from slotbridge.cli.render.decisions import Counsel, ways_out
from slotbridge.cli.render.errors import error_lines
from slotbridge.cli.render.fields import field_edit_words, field_words, is_fields
from slotbridge.cli.render.words import DayZero, capacity_words, clean, edit_words, item_words, plural
from slotbridge.errors import SIDE_NAMES
from slotbridge.reconcile.model import SIDES, Change, Hold, Overruled
from slotbridge.reconcile.names import LostName
from slotbridge.sync.report import PairReport, RunReport, Status, TypeReport

_SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
_DONE: Mapping[Status, str] = {"quiet": "quiet", "changed": "changed", "held": "held", "failed": "failed"}
_TO_COME: Mapping[Status, str] = {**_DONE, "changed": "would change", "held": "would be held"}
_STYLES: Mapping[Status, str] = {"quiet": "bold", "changed": "bold green", "held": "bold yellow", "failed": "bold red"}
_MOST_ITEMS = 12
_MOST_NAMES = 6
_SIDE_WIDTH = max(map(len, SIDE_NAMES.values()))


def run_lines(report: RunReport, day_zero: DayZero, counsel: Counsel, *, undoing: int | None = None) -> Iterator[Text]:
    """The whole run, a block for each pair that has something to tell, and the sum of it in the last line.

    `undoing` is the number of the run that was, or would be, undone.
    """
    alike = _failed_alike(report.pairs)
    for pair in report.pairs:
        if (others := alike.get(pair.name)) is not None:
            block = list(_shared_failure(pair, others))
        else:
            block = list(_pair_lines(pair, day_zero, counsel, dry_run=report.dry_run, undoing=undoing))
        if block:
            yield from block
            yield Text()
    for kind in report.resource_types:
        if kind.status != "quiet":
            yield from _type_lines(kind, day_zero, dry_run=report.dry_run)
            yield Text()
    yield Text(summary(report))


def _type_lines(kind: TypeReport, day_zero: DayZero, *, dry_run: bool) -> Iterator[Text]:
    word = (_TO_COME if dry_run else _DONE)[kind.status]
    yield Text.assemble((kind.name, "bold"), ": ", (word, _STYLES[kind.status]))
    for change in kind.changes:
        yield change_line(change, day_zero)
    if kind.error is not None:
        yield from error_lines(kind.error, pair=kind.name, indent="  ")


def _failed_alike(pairs: Sequence[PairReport]) -> dict[str, list[str]]:
    """Pairs that failed for one reason, as all do when a key is refused: the first with all names, the rest without."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for pair in pairs:
        if pair.error is not None and not (pair.changes or pair.holds):
            groups.setdefault((pair.error.side, pair.error.what, pair.error.hint), []).append(pair.name)
    shared = [names for names in groups.values() if len(names) > 1]
    return {name: names if name == names[0] else [] for names in shared for name in names}


def _shared_failure(pair: PairReport, names: Sequence[str]) -> Iterator[Text]:
    if not names or pair.error is None:
        return
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    told = f"{', '.join(map(clean, names[:_MOST_NAMES]))}{more}"
    yield Text.assemble((told, "bold"), ": ", (_DONE["failed"], _STYLES["failed"]), f", all {len(names)} alike")
    yield from error_lines(pair.error, pair=pair.name, indent="  ")


def summary(report: RunReport) -> str:
    """How many pairs ended how, and what it cost."""
    words = _TO_COME if report.dry_run else _DONE
    counts = [f"{count} {words[status]}" for status in _statuses() if (count := report.count(status))]
    spent = ", ".join(f"{SIDE_NAMES[side]} {report.requests.get(side, 0)}" for side in SIDES)
    note = " Dry run: nothing was written." if report.dry_run else ""
    return f"{plural(len(report.pairs), 'pair')}: {', '.join(counts)}. Requests: {spent}.{note}"


def _statuses() -> list[Status]:
    order: dict[Status, int] = {"failed": 0, "held": 1, "changed": 2, "quiet": 3}
    return sorted(get_args(Status), key=lambda status: order[status])


def _pair_lines(
    pair: PairReport, day_zero: DayZero, counsel: Counsel, *, dry_run: bool, undoing: int | None
) -> Iterator[Text]:
    problems = [(side, problem) for side in SIDES for problem in pair.problems.get(side, ())]
    if pair.status == "quiet" and not (problems or pair.linked):
        return
    yield _heading(pair, dry_run=dry_run)
    for change in pair.changes:
        yield change_line(change, day_zero)
    for lost in pair.overruled:
        yield Text(f"  overruled: {overruled_words(lost)}", style="dim")
    for hold in pair.holds:
        yield from hold_lines(hold, counsel, undoing=undoing, noted=not dry_run)
    for side, problem in problems:
        yield Text(f"  left as it is: {SIDE_NAMES[side]}, {clean(problem.item)}: {clean(problem.reason)}", "yellow")
    if pair.error is not None:
        yield from error_lines(pair.error, pair=pair.name, indent="  ")


def _heading(pair: PairReport, *, dry_run: bool) -> Text:
    if pair.status == "quiet" and pair.linked:
        word = "equal on both sides, nothing to write" + ("" if dry_run else "; remembered as agreed")
    elif pair.status == "quiet":
        word = "in step"
    else:
        word = (_TO_COME if dry_run else _DONE)[pair.status]
    return Text.assemble((clean(pair.name), "bold"), ": ", (word, _STYLES[pair.status]))


def change_line(change: Change, day_zero: DayZero) -> Text:
    """One range or time slot, or what it is called: where, what, and why."""
    sign, style = _SIGNS[change.op]
    what = _fields_line(change) if is_fields(change.after) else _item_line(change, day_zero)
    side = f"{SIDE_NAMES[change.side]:{_SIDE_WIDTH}}"
    return Text.assemble("  ", side, " ", (sign, style), f" {what}", (f"  ({change.why})", "dim"))


def _fields_line(change: Change) -> str:
    before, after = change.before, change.after or {}
    if before is None:
        return field_words(after)
    same = {name: value for name, value in after.items() if name in before and before[name] == value}
    edited = field_edit_words(before, {name: value for name, value in after.items() if name not in same})
    return f"{field_words(same)}: {edited}" if same else edited


def _item_line(change: Change, day_zero: DayZero) -> str:
    shown = [item_words(change.side, item, day_zero) for item in (change.before, change.after) if item is not None]
    number = (change.before or {}).get("id")
    which = f"time slot {number}: " if number is not None else ""
    return which + (edit_words(*shown) if len(shown) == 2 else shown[0])


def overruled_words(lost: Overruled | LostName) -> str:
    """An edit that was lost, in full, and to what."""
    side = SIDE_NAMES[lost.side]
    if isinstance(lost, LostName):
        return f"{side}'s {field_words(lost.fields)}: {lost.why}"
    if lost.value is None:
        return f"{side}: {lost.why}"
    return f"{side}'s {lost.value.window}, {capacity_words(lost.side, lost.value.capacity)}: {lost.why}"


def hold_lines(
    hold: Hold, counsel: Counsel, *, items: bool = True, undoing: int | None = None, noted: bool = True
) -> Iterator[Text]:
    """A hold: its id and reason, what it is about if wanted, and how to decide it.

    `noted` is False where only a look was taken: `resolve` decides what a run has noted, and finds nothing else.
    """
    yield Text.assemble(("  held ", "yellow"), (hold.id, "bold yellow"), f": {clean(hold.reason)}")
    if items:
        yield from (Text(f"    {hold_item_words(item)}") for item in hold.items[:_MOST_ITEMS])
    if items and len(hold.items) > _MOST_ITEMS:
        yield Text(f"    … and {len(hold.items) - _MOST_ITEMS} more; --json lists all")
    for number, way in enumerate(ways_out(hold, counsel, undoing=undoing)):
        decides = way.startswith(counsel.call("resolve"))
        later = "  (once `slotbridge sync` has noted it)" if decides and not noted else ""
        yield Text.assemble("    ", "to decide: " if number == 0 else " " * 11, (way, "cyan"), (later, "dim"))


def hold_item_words(item: Mapping[str, Any]) -> str:
    """One row of a hold: what each side has, what was agreed, what waits to be done to it."""
    has = [f"{SIDE_NAMES[side]} {item.get(side, 'nothing')}" for side in SIDES]
    said = [" · ".join(has)]
    if "base" in item:
        said.append(f"agreed {item['base']}")
    if would := item.get("would_delete"):
        said.append(f"would be deleted in {' and '.join(SIDE_NAMES[side] for side in would)}")
    became = item.get("would_become", {})
    new = [side for side in SIDES if side in became and became[side] != item.get(side)]
    said += [f"{SIDE_NAMES[side]} would get {became[side]}" for side in new]
    if customers := item.get("customers"):
        said.append(f"its customers would first be {customers}")
    return clean("; ".join(said))
