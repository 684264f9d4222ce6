"""PHP's ways with arrays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbridge.bitrix24.php import as_list, as_map, query
from tests.bitrix24.portal import as_json, nested


def test_a_slot_list_is_written_with_an_index_for_every_week_day() -> None:
    parameters = {
        "resourceId": 15,
        "slots": [{"from": 540, "timezone": "Europe/Berlin", "weekDays": ["Mon", "Tue"], "slotSize": 30}],
    }
    assert query(parameters) == (
        "resourceId=15&slots[0][from]=540&slots[0][timezone]=Europe%2FBerlin"
        "&slots[0][weekDays][0]=Mon&slots[0][weekDays][1]=Tue&slots[0][slotSize]=30"
    )


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a&b", "a%26b"),
        ("a+b", "a%2Bb"),
        ("a%41", "a%2541"),
        ("a#b", "a%23b"),
        ("a=b", "a%3Db"),
        ("a b", "a%20b"),
        ("ü", "%C3%BC"),
        ("[0]", "%5B0%5D"),
    ],
)
def test_what_means_something_in_a_query_is_percent_encoded_once(text: str, encoded: str) -> None:
    assert query({"timezone": text}) == f"timezone={encoded}"


def test_an_empty_list_leaves_no_trace() -> None:
    assert query({"resourceId": 1, "slots": []}) == "resourceId=1"


texts = st.text(max_size=8).filter(lambda text: text.isprintable())
ranges = st.fixed_dictionaries({"timezone": texts, "weekDays": st.lists(texts, min_size=1, max_size=3)})


@settings(deadline=None)
@given(st.lists(ranges, min_size=1, max_size=12))
def test_what_is_written_is_read_back_the_same(slots: list[Any]) -> None:
    assert as_json(nested(query({"slots": slots}))) == {"slots": slots}


@pytest.mark.parametrize(
    ("value", "values", "mapped"),
    [
        ([], [], {}),
        (["a", "b"], ["a", "b"], {"0": "a", "1": "b"}),
        ({"1": "a", "3": "b"}, ["a", "b"], {"1": "a", "3": "b"}),
    ],
)
def test_an_array_is_read_in_either_form(value: object, values: list[object], mapped: dict[str, object]) -> None:
    assert as_list(value) == values
    assert as_map(value) == mapped


@pytest.mark.parametrize("value", [None, True, 0, "", "text"])
def test_what_is_no_array_is_none(value: object) -> None:
    assert as_list(value) is None
    assert as_map(value) is None
