"""Masks secrets in text that came from outside, before it gets into a message or a log."""

from __future__ import annotations

import re

MASK = "***"

_SLASH = r"(?:\\*/|%2f)"  # PHP writes slashes in JSON with a backslash
_QUOTE = r"\\*[\"']"
_TEXT = rf"b?{_QUOTE}"  # also as Python shows bytes
_NAMES = "auth|auth_id|access_token|refresh_token|refresh_id|application_token|client_secret|api_key"
_HEADER = rf"(?:authorization|x-api-key)(?:{_QUOTE})?"
_SCHEME = r"(?:(?:basic|bearer|digest|token)\s+)?"
_BRACKET = r"(?:\]|%5d)?"  # auth[access_token]=…

_PATTERNS = (
    re.compile(rf"({_SLASH}rest{_SLASH}\d+{_SLASH})[^\s/\\?#\"'<>&%]+", re.IGNORECASE),
    re.compile(r"(bearer(?:\s+|%20|\+))[^\s\"'\\,;&]+", re.IGNORECASE),
    re.compile(r"(\bbasic(?:\s+|%20|\+))(?=[\w+/-]*[\d=])[\w+/=-]{8,}", re.IGNORECASE),
    re.compile(rf"({_HEADER}\s*[:=]\s*(?:{_TEXT})?{_SCHEME})[^\s\"'\\&,;]{{8,}}", re.IGNORECASE),
    re.compile(r"(cookie\s*:\s*)[^\r\n\"']+", re.IGNORECASE),
    re.compile(r"(://[^\s/?#:@\"'\\]*:)[^\s/?#@\"'\\]+(?=@)"),
    re.compile(
        rf"((?:{_NAMES}){_BRACKET}(?:(?:=|%3d)(?:{_TEXT})?|{_QUOTE}\s*:\s*{_TEXT}))[^\s\"'\\&,;]+", re.IGNORECASE
    ),
    re.compile(r"([?&]code=)[^\s\"'\\&,;#]+", re.IGNORECASE),  # of an authorization, in an address
    re.compile(r"([spt]k_rsv_)[\w*-]+"),
)


def redact(text: str) -> str:
    """The text with webhook codes, headers' and addresses' credentials, OAuth parameters and ReserveKit keys masked."""
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\1{MASK}", text)
    return text


def excerpt(text: str, limit: int = 80) -> str:
    """At most `limit` redacted characters of a server's text, on one line, for use in a message."""
    line = " ".join(redact(text).split())
    printable = "".join(character if character.isprintable() else "�" for character in line)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"
