"""The kinds of values that ReserveKit's JSON has: numbers that may be digits, texts that may be missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainValidator, StringConstraints
from pydantic import ValidationError as ValidationError

Row = dict[str, Any]
"""One JSON object, as it came or as it is sent."""

INT64: Final = 2**63
"""The server is written in Go: its integers have 64 bits."""


def whole(value: object) -> int:
    """A whole number of 64 bits, written as a number or as digits. Raises ValueError for anything else.

    The documentation has integers; early demo types of the vendor have ids as strings.
    """
    if type(value) is int:
        number = value
    elif (isinstance(value, float) and value.is_integer()) or (
        isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value)
    ):
        number = int(value)
    else:
        raise ValueError("not a whole number")
    if not -INT64 <= number < INT64:
        raise ValueError("not a number of 64 bits")
    return number


def identity(row: Mapping[str, object]) -> int | None:
    """The id of an object, None if it has no usable one. Ids start above zero; 0 is how Go writes "none"."""
    try:
        number = whole(row.get("id"))
    except ValueError:
        return None
    return number if number > 0 else None


def _text_or_empty(value: object) -> str:
    return value if isinstance(value, str) else ""


def text_or_none(value: object) -> str | None:
    """A text, None for an empty one (Go's way to write "none") and for anything else."""
    return value if isinstance(value, str) and value else None


def _zero_for_nothing(value: object) -> object:
    return 0 if value is None or value == "" else value


Whole = Annotated[int, PlainValidator(whole)]
MaybeId = Annotated[int, PlainValidator(whole), BeforeValidator(_zero_for_nothing)]
Text = Annotated[str, StringConstraints(strict=True)]
TextOrEmpty = Annotated[str, PlainValidator(_text_or_empty)]
MaybeText = Annotated[str | None, PlainValidator(text_or_none)]

_PROBLEMS: Final = {
    "missing": "is missing",
    "string_type": "is not text",
    "string_pattern_mismatch": "does not start with YYYY-MM-DD",
}


def problem(error: ValidationError) -> str:
    """What is wrong, field by field, without the values."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(f"{each['loc'][0]} {_PROBLEMS.get(each['type'], 'is not a whole number')}" for each in found)
