from __future__ import annotations

import json

import pytest

from slotbridge.sandbox import php


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a[0][from]=540&a[0][weekDays][]=Mon&a[0][weekDays][]=Tue", None),
        ("a%5B0%5D%5Bfrom%5D=540&a%5B0%5D%5BweekDays%5D%5B0%5D=Mon&a[0][weekDays][1]=Tue", None),
        ("a=x%26y+z%23", {"a": "x&y z#"}),
        ("a.b=1&c d=2", {"a_b": "1", "c_d": "2"}),
        ("a=1&a=2", {"a": "2"}),
        ("a=1&a[x]=2", {"a": {"x": "2"}}),
        ("a[5]=x&a[]=y", {"a": {"5": "x", "6": "y"}}),
        ("slots=", {"slots": ""}),
        ("=1&&x", {"x": ""}),
    ],
)
def test_brackets_make_arrays(query: str, read: object) -> None:
    nested = {"a": {"0": {"from": "540", "weekDays": {"0": "Mon", "1": "Tue"}}}}
    assert php.parse_query(query, 1000) == (nested if read is None else read)


def test_variables_beyond_the_limit_vanish() -> None:
    assert php.parse_query("a=1&b=2&c=3", 2) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("540", 540),
        ("540.9", 540),
        (" 12 ", 12),
        ("12abc", 12),
        ("-3", -3),
        ("1e3", 1000),
        ("1e999", 0),
        ("abc", 0),
        ("", 0),
        (540.9, 540),
        (True, 1),
        (None, 0),
        ([], 0),
        ([1], 1),
        (7, 7),
    ],
)
def test_anything_casts_to_a_number(value: object, number: int) -> None:
    assert php.to_int(value) == number


@pytest.mark.parametrize(("value", "true"), [("false", True), ("0", False), ("", False), (0, False), (1, True)])
def test_only_zero_and_nothing_are_false(value: object, true: bool) -> None:
    assert php.truthy(value) is true


@pytest.mark.parametrize("value", ["15", " 15", "1.5", 15, 1.5, ".5", "1e3"])
def test_numeric(value: object) -> None:
    assert php.is_numeric(value)


@pytest.mark.parametrize("value", ["", "15x", "abc", True, None, []])
def test_not_numeric(value: object) -> None:
    assert not php.is_numeric(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "[]"),
        ({"a": {}}, '{"a":[]}'),
        ({"0": 1, "1": 2}, "[1,2]"),
        ({"1": 1, "0": 2}, '{"1":1,"0":2}'),
        ({"1": 1}, '{"1":1}'),
        ([{"x": {"0": []}}], '[{"x":[[]]}]'),
    ],
)
def test_lists_and_maps_are_one_type(value: object, text: str) -> None:
    assert php.encode(value) == text.encode()


def test_json_escapes_what_html_would_read() -> None:
    text = "a/b<c>&'\"\\ Zahnärztin"
    encoded = php.encode({"name": text}).decode()
    assert json.loads(encoded) == {"name": text}
    assert encoded == r'{"name":"a\/b\u003Cc\u003E\u0026\u0027\u0022\\ Zahnärztin"}'
