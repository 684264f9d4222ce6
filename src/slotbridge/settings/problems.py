"""What is wrong with a configuration, in lines that name the place, what stands there and what is allowed.

A line shows a value only where the key is known and holds no secret, and even then redacted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from slotbridge.http.redact import redact
from slotbridge.settings.kinds import Unshown
from slotbridge.settings.shape import Path, fields_at, homes_of, may_be_secret, table_of

_SAID = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "string_type": "must be text in quotes",
    "model_type": "must be a table",
    "tuple_type": "must be a list of tables, each begun with its name in [[ ]]",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}


_LISTS = ("pairs", "resource_types")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that the unknown one was probably meant to be."""
    matches = get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None


def pair_place(index: int, pair: object) -> str:
    """How a pair is called in messages: by its name, or by its number from 1 while it has none."""
    name = pair.get("name") if isinstance(pair, Mapping) else None
    return f'[[pairs]] "{redact(name)}"' if isinstance(name, str) and name else f"[[pairs]] number {index + 1}"


def schema_problems(error: ValidationError, data: Mapping[str, Any], root: type[BaseModel]) -> Iterator[str]:
    """One line for each of pydantic's findings. `data` is what the user wrote, without defaults filled in."""
    for finding in error.errors(include_url=False):
        path = finding["loc"]
        if not _inherited(path, data):
            place = str(path[0]) if _is_stray(finding, data) else _place(path, data)
            yield redact(place) + _remark(finding, path, root)


def _inherited(path: Path, data: Mapping[str, Any]) -> bool:
    """Whether the value was filled in from `[sync]`, where it is reported already."""
    if len(path) < 3 or path[0] != "pairs":
        return False
    pair = data["pairs"][path[1]]
    return path[2] not in pair and path[2] in table_of(data, "sync")


def _is_stray(finding: ErrorDetails, data: Mapping[str, Any]) -> bool:
    """Whether it is a key that stands in no table."""
    top, *inside = finding["loc"]
    return finding["type"] == "extra_forbidden" and not inside and not isinstance(data.get(str(top)), Mapping | list)


def _place(path: Path, data: Mapping[str, Any]) -> str:
    if path[0] == "pairs" and len(path) > 1:
        index = int(path[1])
        place = pair_place(index, data["pairs"][index])
        return f"{place}: {path[2]}" if len(path) > 2 else place
    if len(path) == 1:
        return f"[[{path[0]}]]" if path[0] in _LISTS else f"[{path[0]}]"
    if path[0] in _LISTS:
        place = f"[[{path[0]}]] number {int(path[1]) + 1}"
        return f"{place}: {path[2]}" if len(path) > 2 else place
    *tables, key = (str(part) for part in path)
    return f"[{'.'.join(tables)}] {key}"


def _remark(finding: ErrorDetails, path: Path, root: type[BaseModel]) -> str:
    known = fields_at(root, path[:-1])
    match finding["type"]:
        case "missing":
            return f": missing{_elsewhere(path)}"
        case "extra_forbidden":
            if homes := homes_of(root, str(path[-1])):
                return f": unknown key here; it is one of {' and '.join(homes)}"
            near = nearest(str(path[-1]), known)
            what = "table" if len(path) == 1 else "key"
            shown = f"[{near}]" if what == "table" else f'"{near}"'
            return f": unknown {what}" + (f"; did you mean {shown}?" if near else f"; known here: {', '.join(known)}")
    return f"{_given(finding, path, root)}: {_said(finding)}"


def _said(finding: ErrorDetails) -> str:
    if finding["type"] == "value_error":
        return str(finding["ctx"]["error"])
    if finding["type"] == "literal_error":
        return "use " + str(finding["ctx"]["expected"]).replace("'", '"')
    return _SAID.get(finding["type"], finding["msg"])


def _given(finding: ErrorDetails, path: Path, root: type[BaseModel]) -> str:
    value = finding["input"]
    unshown = isinstance(finding.get("ctx", {}).get("error"), Unshown)
    if unshown or may_be_secret(root, path) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, str):
        text = redact(value)
        hidden = "@" in text or len(text) > 60  # an address with a password in it; something pasted by mistake
        return "" if hidden else f' = "{text}"'
    return f" = {str(value).lower()}"


def _elsewhere(path: Path) -> str:
    """Where else a missing value could be set. A list is one variable, so that is no help there."""
    if len(path) < 2 or path[0] in _LISTS:
        return ""
    return f"; set it here, as SLOTBRIDGE_{'__'.join(str(part).upper() for part in path)} or in a secret file"
