"""The kinds of values that the portal sends, taken tolerantly, and the words for what cannot be read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from slotbridge.bitrix24.php import as_list, as_map
from slotbridge.errors import BadAnswer, OutcomeUnknown
from slotbridge.http.redact import excerpt

DIGITS = re.compile(r"-?[0-9]{1,18}")


def shown(value: object) -> str:
    """A value of any kind, short enough for a message."""
    return excerpt(json.dumps(value, ensure_ascii=False), 40)


def integer(value: object) -> int:
    """A whole number, written as a number or as digits. Raises ValueError for anything else."""
    if type(value) is int:  # which a bool is not
        return value
    match value:
        case float() if value.is_integer():
            return int(value)
        case str() if DIGITS.fullmatch(value):
            return int(value)
    raise ValueError(f"is {shown(value)}, not a number")


def or_zero(value: object) -> int:
    """A whole number; the API sends null for a stored 0."""
    return 0 if value is None else integer(value)


def text(value: object) -> str:
    """A text. Raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError(f"is {shown(value)}, not a text")
    return value


def or_empty(value: object) -> str:
    """A text; the API sends null for a stored empty one."""
    return "" if value is None else text(value)


def names(value: object) -> tuple[str, ...]:
    """A list of texts, or one text that stands for a list of one."""
    found = [value] if isinstance(value, str) else as_list(value)
    if found is None or not {str}.issuperset(map(type, found)):
        raise ValueError(f"is {shown(value)}, not a list of names")
    return tuple(map(str, found))


def _integers(value: object) -> tuple[int, ...]:
    found = [] if value is None else as_list(value)
    if found is None:
        raise ValueError(f"is {shown(value)}, not a list of numbers")
    return tuple(integer(number) for number in found)


def _perhaps(value: object) -> int | None:
    return None if value is None else integer(value)


def yes_or_no(value: object) -> bool:
    """A yes or no, as PHP, JSON or Bitrix24 has it. Raises ValueError for anything else."""
    if value in (None, "", "N", "n") or value is False:
        return False
    return value is True or value in ("Y", "y") or integer(value) != 0


Number = Annotated[int, BeforeValidator(integer)]
PerhapsNumber = Annotated[int | None, BeforeValidator(_perhaps)]
Numbers = Annotated[tuple[int, ...], BeforeValidator(_integers)]
Text = Annotated[str, BeforeValidator(text)]
TextOrEmpty = Annotated[str, BeforeValidator(or_empty)]
YesNo = Annotated[bool, BeforeValidator(yes_or_no)]


class Wire(BaseModel):
    """An object of an answer: members that nobody asks for are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Model = TypeVar("Model", bound=Wire)


def member(result: object, key: str) -> object:
    """One member of an object, None if it is not there, or if there is no object."""
    return (as_map(result) or {}).get(key)


def rows(result: object, kind: str, item: str, *keys: str) -> Sequence[object]:
    """The list under the first of the keys that is there. Raises BadAnswer if there is none."""
    return listed(next((value for key in keys if (value := member(result, key)) is not None), None), kind, item)


def listed(found: object, kind: str, item: str) -> Sequence[object]:
    """A PHP array as a list. Raises BadAnswer if it is none."""
    values = as_list(found)
    if values is None:
        raise unreadable(f"the answer has no list of {kind}", item)
    return values


def read(model: type[Model], fields: object, kind: str, item: str) -> Model:
    """The object as the model has it. Raises BadAnswer, naming the member that cannot be read."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise unreadable(f"{kind} cannot be read: {problem(error)}", item) from None


def added_id(result: object, item: str) -> int:
    """The id in the answer to an `add`: a bare number, although the documentation also shows `{"id": n}`.

    Raises OutcomeUnknown if it names none: something was added, and nobody knows what.
    """
    try:
        return integer(member(result, "id") if isinstance(result, dict) else result)
    except ValueError as error:
        what = f"the portal took it, but the id in its answer {error}"
    hint = "Look into the portal before it is sent again"
    raise OutcomeUnknown(what, side="bitrix24", item=item, hint=hint)


def same(asked: int, answered: int, kind: str, item: str) -> None:
    """Raises BadAnswer if the answer is about another one than was asked for."""
    if asked != answered:
        what = f"the answer is about {kind} {answered} instead"
        raise BadAnswer(what, side="bitrix24", item=item, hint="The next run asks again")


def problem(error: ValidationError) -> str:
    """The first thing that is wrong, in words."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{name} is missing"
    reason = first.get("ctx", {}).get("error", first["msg"])
    return f"{name} {reason}".strip()


def unreadable(what: str, item: str) -> BadAnswer:
    """The error for an answer that cannot be understood."""
    hint = "Nothing was concluded from it; the next run asks again"
    return BadAnswer(what, side="bitrix24", item=item, hint=hint)
