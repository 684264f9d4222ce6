"""The kinds of values that every answer is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbridge.bitrix24.wire import added_id, integer, names, or_empty, or_zero, rows, same
from slotbridge.errors import BadAnswer, OutcomeUnknown

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("result", [7, "7", 7.0, {"id": 7}, {"id": "7", "note": None}])
def test_the_id_of_something_new_comes_bare_or_in_an_object(result: object) -> None:
    assert added_id(result, "the wait list") == 7


@pytest.mark.parametrize("result", [None, True, [], {}, {"id": None}, {"ID": 7}, "", "seven", [7], 7.5])
def test_an_addition_without_an_id_may_have_happened(result: object) -> None:
    with pytest.raises(OutcomeUnknown, match="Look into the portal before it is sent again") as caught:
        added_id(result, "the wait list")
    assert caught.value.item == "the wait list"


@given(anything)
def test_no_answer_to_an_addition_breaks_anything(result: object) -> None:
    try:
        assert isinstance(added_id(result, "the wait list"), int)
    except OutcomeUnknown as error:
        assert error.__cause__ is None


def test_null_is_zero_and_the_empty_text() -> None:
    assert or_zero(None) == 0
    assert or_empty(None) == ""


@pytest.mark.parametrize("value", [True, "", "1.5", 1.5, [], {}, "²", "9" * 50])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a number"):
        integer(value)


def test_one_name_stands_for_a_list_of_one() -> None:
    assert names("Mon") == ("Mon",)
    assert names({"3": "Mon"}) == ("Mon",)


def test_rows_are_under_the_first_key_that_is_there() -> None:
    assert rows({"b": [1]}, "things", "the list", "a", "b") == [1]
    assert rows({"a": {"5": 2}, "b": [1]}, "things", "the list", "a", "b") == [2]


@pytest.mark.parametrize("result", [None, True, [], {}, "x", {"a": None}, {"a": "x"}, {"a": 1}])
def test_no_rows_are_no_empty_list(result: object) -> None:
    with pytest.raises(BadAnswer, match="the answer has no list of things"):
        rows(result, "things", "the list", "a")


def test_an_answer_about_another_one_is_bad() -> None:
    same(5, 5, "booking", "booking 5")
    with pytest.raises(BadAnswer, match="booking 6 instead"):
        same(5, 6, "booking", "booking 5")
