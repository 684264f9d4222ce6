"""How the portal takes parameters apart, and how it says no."""

from __future__ import annotations

from collections.abc import Mapping

from slotbridge.sandbox import php

Params = Mapping[str, object]


class Refusal(Exception):
    """An error answer: `code` is what `error` will say. All booking errors have status 400."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status

    def body(self, *, number: bool = False) -> dict[str, object]:
        code: object = int(self.code) if number and self.code.isdecimal() else self.code
        return {"error": code, "error_description": self.description}


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


def _mismatch(name: str, value: object, kind: str) -> Refusal:
    shown = "array" if php.is_array(value) else php.to_text(value)
    text = f"Invalid value {{{shown}}} to match with parameter {{{name}}}. Should be value of type {kind}."
    return Refusal("100", text)
