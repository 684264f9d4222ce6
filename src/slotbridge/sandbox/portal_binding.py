"""How the portal takes parameters apart, and how it says no."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from slotbridge.sandbox import php

Params = Mapping[str, object]
Caller = Literal["webhook", "application"]


@dataclass(frozen=True, slots=True)
class Result:
    """What a method returned, with the numbers that lists have beside it."""

    value: object
    total: int | None = None
    next: int | None = None


class Refusal(Exception):
    """An error answer: `code` is what `error` will say. All booking errors have status 400."""

    def __init__(self, code: str, description: str, status: int = 400, *, argument: str | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status
        self.argument = argument

    def body(self, *, number: bool = False) -> dict[str, object]:
        code: object = int(self.code) if number and self.code.isdecimal() else self.code
        more = {} if self.argument is None else {"argument": self.argument}
        return {"error": code, "error_description": self.description, **more}


def require(params: Params, *names: str) -> None:
    """Every parameter must be there and not null."""
    for name in names:
        if params.get(name) is None:
            raise Refusal("100", f"Could not find value for parameter {{{name}}}")


def integer(params: Params, name: str) -> int:
    """A parameter that must be a number, or text that is one."""
    value = params[name]
    if not php.is_numeric(value):
        raise _mismatch(name, value, "int")
    return php.to_int(value)


def array(params: Params, name: str) -> object:
    """A parameter that must be a PHP array: a JSON list or object."""
    value = params[name]
    if not php.is_array(value):
        raise _mismatch(name, value, "array")
    return value


def optional_array(params: Params, name: str) -> dict[str, object]:
    """A parameter that may be missing, and is then an empty array."""
    return php.items(array(params, name)) if params.get(name) is not None else {}


def require_fields(fields: Mapping[str, object], *names: str) -> None:
    """Every member must be there and not null; the ones that are not are named."""
    missing = [name for name in names if fields.get(name) is None]
    if missing:
        raise Refusal("0", f"Required fields: {', '.join(missing)}")


def lowered(params: Params) -> dict[str, object]:
    """The parameters of the older methods, whose names may have any case."""
    return {name.lower(): value for name, value in params.items()}


def listed(value: object) -> Iterable[object]:
    """The members of a PHP array, or the one value that stands for itself."""
    return php.values(value) if php.is_array(value) else [value]


def _mismatch(name: str, value: object, kind: str) -> Refusal:
    shown = "array" if php.is_array(value) else php.to_text(value)
    text = f"Invalid value {{{shown}}} to match with parameter {{{name}}}. Should be value of type {kind}."
    return Refusal("100", text)
