"""Reading what the portal stores, and writing it back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbridge.bitrix24.models import Resource, read_resource, read_resources, read_slots, slot_fields
from slotbridge.errors import BadAnswer
from slotbridge.lenses.items import Odd, Range

STORED = {
    "from": 540,
    "id": 171,
    "slotSize": 30,
    "timezone": "Europe/Berlin",
    "to": 1080,
    "weekDays": ["Mon", "Tue"],
}
RANGE = Range(540, 1080, "Europe/Berlin", ("Mon", "Tue"), 30)


def read(**changes: object) -> Range | Odd:
    (item,) = read_slots({"slots": [{**STORED, **changes}]}, "resource 15")
    return item


def changed(**changes: Any) -> Range:
    fields: dict[str, Any] = {"start": 540, "end": 1080, "timezone": "Europe/Berlin", "slot_size": 30}
    return Range(**{**fields, "week_days": ("Mon", "Tue"), **changes})


def test_the_documented_answer_is_read() -> None:
    assert read() == RANGE


def test_null_from_is_midnight_and_null_slot_size_is_zero() -> None:
    assert read(**{"from": None, "slotSize": None}) == changed(start=0, slot_size=0)


@pytest.mark.parametrize(("value", "minutes"), [("600", 600), (600.0, 600), (0, 0), (-5, -5), (99999, 99999)])
def test_numbers_are_taken_as_texts_and_whole_floats_and_are_not_judged(value: object, minutes: int) -> None:
    assert read(**{"from": value}) == changed(start=minutes)


@pytest.mark.parametrize(
    ("value", "days"),
    [
        ("Mon", ("Mon",)),
        (["Tue", "Mon"], ("Tue", "Mon")),
        ({"1": "Mon", "4": "Funday"}, ("Mon", "Funday")),
        (["Mon", "Mon"], ("Mon", "Mon")),
        ([], ()),
    ],
)
def test_week_days_are_kept_as_stored(value: object, days: tuple[str, ...]) -> None:
    assert read(weekDays=value) == changed(week_days=days)


def test_unknown_zone_names_and_members_are_no_problem_here() -> None:
    assert read(timezone="Mars/Olympus", colour="red") == changed(timezone="Mars/Olympus")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"from": True}, "from is true, not a number"),
        ({"to": [1080]}, "to is [1080], not a number"),
        ({"slotSize": "half"}, 'slotSize is "half", not a number'),
        ({"from": 540.5}, "from is 540.5, not a number"),
        ({"from": ""}, 'from is "", not a number'),
        ({"from": "²"}, 'from is "²", not a number'),
        ({"from": "9" * 50}, "from is "),
        ({"timezone": None}, "timezone is null, not a text"),
        ({"timezone": 1}, "timezone is 1, not a text"),
        ({"weekDays": ["Mon", 1]}, 'weekDays is ["Mon", 1], not a list of names'),
        ({"weekDays": None}, "weekDays is null, not a list of names"),
        ({"weekDays": 1}, "weekDays is 1, not a list of names"),
    ],
)
def test_a_member_of_the_wrong_kind_makes_the_range_odd(changes: dict[str, object], problem: str) -> None:
    item = read(**changes)
    assert isinstance(item, Odd)
    assert item.problem.startswith(problem)
    assert item.id is None


@pytest.mark.parametrize("name", ["from", "to", "timezone", "weekDays", "slotSize"])
def test_a_missing_member_makes_the_range_odd(name: str) -> None:
    fields = {key: value for key, value in STORED.items() if key != name}
    (item,) = read_slots({"slots": [fields]}, "resource 15")
    assert isinstance(item, Odd)
    assert item.problem == f"{name} is missing"


def test_an_odd_range_keeps_everything_but_its_id_and_goes_back_as_it_was() -> None:
    item = read(**{"from": True, "colour": "grün"})
    assert isinstance(item, Odd)
    kept = {**STORED, "from": True, "colour": "grün"}
    del kept["id"]
    assert item.raw == json.dumps(kept, sort_keys=True, ensure_ascii=False)
    assert slot_fields([item]) == [kept]


def test_an_odd_range_is_the_same_whatever_its_id_and_the_order_of_its_members() -> None:
    fields = {**STORED, "from": True}
    shuffled = dict(reversed({**fields, "id": 999}.items()))
    assert read_slots({"slots": [fields]}, "a") == read_slots({"slots": [shuffled]}, "a")


@pytest.mark.parametrize(
    "changes",
    [
        {"timezone": "\ud800"},
        {"weekDays": ["Mon", "\udfff"]},
        {"from": "\ud83d"},
        {"from": None, "to": "soon", "note": {"by": ["\ud83dx"]}},
    ],
)
def test_half_a_surrogate_pair_is_no_text_and_the_answer_is_a_bad_one(changes: dict[str, object]) -> None:
    with pytest.raises(BadAnswer, match="half a surrogate pair"):
        read(**changes)


def test_a_whole_surrogate_pair_is_text_and_members_that_nobody_reads_are_not_looked_at() -> None:
    answer = json.loads(json.dumps({"slots": [{**STORED, "timezone": "\U0001f600", "note": "\ud83d"}]}))
    assert read_slots(answer, "resource 15") == (changed(timezone="\U0001f600"),)


def test_the_order_received_is_kept_and_twins_stay_twins() -> None:
    other = {**STORED, "id": 3, "from": 0}
    slots = read_slots({"slots": {"4": STORED, "2": other, "9": {**STORED, "id": 5}}}, "resource 15")
    assert slots == (RANGE, changed(start=0), RANGE)


def test_no_slots_are_an_empty_list_only_if_the_portal_says_so() -> None:
    assert read_slots({"slots": []}, "resource 15") == ()


@pytest.mark.parametrize(
    "result", [None, True, [], {}, "text", {"slots": None}, {"slots": "none"}, {"slots": ["x"]}, {"slots": [[]]}]
)
def test_an_answer_without_a_list_of_objects_is_a_bad_answer(result: object) -> None:
    with pytest.raises(BadAnswer) as caught:
        read_slots(result, "resource 15")
    assert caught.value.item == "resource 15"
    assert caught.value.side == "bitrix24"


minutes = st.integers(-10, 2000)
days = st.lists(st.sampled_from(["Mon", "Sun", "Xyz"]), max_size=4).map(tuple)


@settings(deadline=None)
@given(st.lists(st.builds(Range, minutes, minutes, st.text(max_size=9), days, minutes), max_size=5))
def test_what_is_written_is_read_back_the_same(ranges: list[Range]) -> None:
    assert read_slots({"slots": slot_fields(ranges)}, "resource 15") == tuple(ranges)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
anything = st.dictionaries(st.sampled_from(["from", "to", "timezone", "weekDays", "slotSize", "id"]), json_values)


@settings(deadline=None)
@given(anything)
def test_no_object_whatever_crashes_or_vanishes(fields: dict[str, object]) -> None:
    (item,) = read_slots({"slots": [fields]}, "resource 15")
    assert isinstance(item, Range | Odd)
    if isinstance(item, Odd):
        assert slot_fields([item]) == [{name: value for name, value in fields.items() if name != "id"}]


def test_resources_are_read_and_an_empty_name_comes_as_null() -> None:
    rows = [{"id": 15, "name": "Dr. Weiß"}, {"id": "16", "name": None}, {"id": 17}]
    assert read_resources({"resource": rows}, "the list") == [
        Resource(15, "Dr. Weiß"),
        Resource(16, ""),
        Resource(17, ""),
    ]


@pytest.mark.parametrize("row", [None, "x", [], {}, {"id": None, "name": "A"}, {"id": True}, {"id": 1, "name": 2}])
def test_a_resource_that_cannot_be_read_fails_the_listing(row: object) -> None:
    with pytest.raises(BadAnswer):
        read_resources({"resource": [{"id": 1, "name": "A"}, row]}, "the list")
    with pytest.raises(BadAnswer):
        read_resource({"resource": row}, "resource 1")


@pytest.mark.parametrize("result", [None, [], {}, {"resource": None}, {"resources": []}])
def test_a_page_without_a_list_is_a_bad_answer(result: object) -> None:
    with pytest.raises(BadAnswer):
        read_resources(result, "the list")
