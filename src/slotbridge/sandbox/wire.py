"""A request as it reached the sandbox, and the answer that goes back, without any server around them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from slotbridge.errors import Side

_BITRIX24_WRITE = re.compile(
    r"\b(?:resource(?:type)?\.(?:add|update|delete|slots\.(?:set|unset))"
    r"|waitlist\.(?:add|update|delete|client\.(?:set|unset))|contact\.add|event\.(?:bind|unbind))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Header names are lower-case; `query` is the raw text after the question mark."""

    api: Side
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The whole request in one line, for finding things in it."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.method} {self.path}{query} {self.body.decode(errors='replace')}"

    @property
    def write(self) -> bool:
        """Whether the request may change something; a batch counts when one of its commands does."""
        if self.api == "reservekit":
            return self.method != "GET"
        return _BITRIX24_WRITE.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back.

    `dropped`: the connection is closed without any answer. `cut`: the body breaks off, although the header
    `content-length` promises more. `delay`: seconds that pass before the answer is sent.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    dropped: bool = False
    cut: bool = False
    delay: float = 0.0


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with `value` as compact JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, {"content-type": "application/json", **(headers or {})}, body)


def lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers with lower-case names."""
    return {name.lower(): value for name, value in headers.items()}
