"""The lens laws, for both lenses, both slot modes, any zones, with items that cannot be represented carried along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbridge.lenses import bitrix24, reservekit
from slotbridge.lenses.terms import Rewrite, Terms, View, Wanted
from tests.lenses.strategies import range_lists, slot_lists, terms, wanted_lists

SIDES: dict[str, tuple[Any, Any]] = {
    "bitrix24": (bitrix24, range_lists),
    "reservekit": (reservekit, slot_lists()),
}


def shown(windows: Iterable[Any], lens: ModuleType, on: Terms) -> Counter[Any]:
    """The windows as a multiset; in split mode a Bitrix24 step has no capacity of its own."""
    bare = lens is bitrix24 and on.slots == "split"
    return Counter((w.window, None if bare else w.capacity) for w in windows)


def as_server_shows(before: Iterable[Any], rewrite: Rewrite[Any], on: Terms) -> tuple[Any, ...]:
    """A server that writes zones writes them on what it was given without, too."""
    if on.time_basis != "auto" or reservekit.time_forms(list(before)) != {"zoned"} or on.time_format == "rfc3339":
        return rewrite.items
    written = [change.after for change in rewrite.changes]
    return tuple(
        replace(item, start_time=item.start_time + "Z", end_time=item.end_time + "Z") if item in written else item
        for item in rewrite.items
    )


def carried(items: Iterable[Any], view: View) -> Counter[Any]:
    bad = {problem.item for problem in view.problems}
    return Counter(repr(item) for number, item in enumerate(items) if any(_names(item, number, b) for b in bad))


def _names(item: Any, number: int, problem: str) -> bool:
    slot_id = getattr(item, "id", None)
    if problem.startswith("time slot"):
        return problem == f"time slot {slot_id}"
    return problem.split(" (")[0] == f"range {number + 1}"


@pytest.mark.parametrize("side", SIDES)
@given(data=st.data(), on=terms())
@settings(max_examples=150, deadline=None)
def test_putting_what_is_seen_changes_nothing(side: str, data: st.DataObject, on: Terms) -> None:
    lens, strategy = SIDES[side]
    items = tuple(data.draw(strategy))
    seen = lens.view(items, on)
    rewrite = lens.put(items, [Wanted(*window) for window in seen.windows], on)
    assert rewrite.items == items
    assert rewrite.changes == ()


@pytest.mark.parametrize("side", SIDES)
@given(data=st.data(), on=terms())
@settings(max_examples=300, deadline=None)
def test_what_is_put_is_seen(side: str, data: st.DataObject, on: Terms) -> None:
    lens, strategy = SIDES[side]
    items = tuple(data.draw(strategy))
    before = lens.view(items, on)
    wanted = data.draw(wanted_lists([Wanted(*window) for window in before.windows]))
    rewrite = lens.put(items, wanted, on)
    items_after = as_server_shows(items, rewrite, on) if lens is reservekit else rewrite.items
    after = lens.view(items_after, on)
    assert shown(after.windows, lens, on) == shown(wanted, lens, on)
    assert carried(rewrite.items, after) == carried(items, before)
    assert bool(rewrite.changes) == (rewrite.items != items)
    assert Counter(n for change in rewrite.changes for n in change.gained).keys() <= set(range(len(wanted)))
    replayed = Counter(map(repr, items))
    for change in rewrite.changes:
        if change.before is not None:
            replayed[repr(change.before)] -= 1
        if change.after is not None:
            replayed[repr(change.after)] += 1
    assert +replayed == Counter(map(repr, rewrite.items))
