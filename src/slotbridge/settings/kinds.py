"""The kinds of values in the configuration. Messages say what is allowed, never what was given."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, SecretStr

Number = TypeVar("Number", int, float)

_DURATION = re.compile(r"(?=.)(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_WEBHOOK_PATH = re.compile(r"/rest/\d+/[^/\s]+/?", re.ASCII)
_LISTEN = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})", re.ASCII)
_PORTAL_HELP = "must be the portal's address and end after the host, such as https://example.bitrix24.com"
_ORIGIN = re.compile(r"https?://(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?/?", re.ASCII | re.I)
_WEBHOOK_HELP = "must look like https://<portal>/rest/<user number>/<code>/"


class Unshown(ValueError):
    """What is wrong with a value that may hold a secret in a place for none: it is not shown."""


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _stripped(value: object) -> object:
    """Without the space or line break that copying takes along; secret files are read like this, too."""
    return value.strip() if isinstance(value, str) else value


def _within(low: Number, high: Number) -> Callable[[Number], Number]:
    def check(value: Number) -> Number:
        if not low <= value <= high:
            raise ValueError(f"must be between {low:g} and {high:g}")
        return value

    return check


def _at_least(low: int) -> Callable[[int], int]:
    def check(value: int) -> int:
        if value < low:
            raise ValueError(f"must be at least {low}")
        return value

    return check


def _positive(value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError("must be above 0")
    return value


def _seconds(value: object) -> int:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must be a duration such as "30s", "5m", "1h" or "1h30m"')
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def lasting(value: object) -> int | None:
    """The seconds of a duration such as "5m"; None if it is none."""
    try:
        return _seconds(value)
    except ValueError:
        return None


def _lasting(low: int, high: int, words: str) -> Callable[[int], int]:
    def check(value: int) -> int:
        if not low <= value <= high:
            raise ValueError(f"must be between {words}")
        return value

    return check


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def address_parts(url: str, help_text: str) -> SplitResult:
    """The parts of an address that may be called: https, or http on this machine, with nothing hidden.

    Raises ValueError, with `help_text` where there is nothing better to say.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(help_text) from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(help_text)
    if re.search(r"\s", url):
        raise ValueError("must have no space or line break inside")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must begin with https://; plain http is for this machine's own addresses only")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must not carry a user name, a question mark or a number sign")
    return parts


def _web_url(url: str) -> str:
    address_parts(url, "must be a web address that begins with https://")
    return url.rstrip("/")


def _portal_url(url: str) -> str:
    """The host alone: a webhook's address pasted here would be printed, code included, as where to grant access."""
    try:
        path = address_parts(url, _PORTAL_HELP).path
    except ValueError as error:
        raise Unshown(*error.args) from None
    if path.strip("/"):
        raise Unshown(_PORTAL_HELP)
    return url.rstrip("/")


def _origin(value: str) -> str:
    """As a browser sends it. Nobody calls it: it is compared with what the key is bound to, so plain http will do."""
    if not _ORIGIN.fullmatch(value):
        raise ValueError("must be a scheme and a host, and a port if need be, such as https://www.example.com")
    return value.rstrip("/")


def _webhook_url(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    if not _WEBHOOK_PATH.fullmatch(address_parts(url, _WEBHOOK_HELP).path):
        raise ValueError(_WEBHOOK_HELP)
    return SecretStr(url.rstrip("/") + "/")


def _token(secret: SecretStr) -> SecretStr:
    """A secret travels in a header or a parameter: one word of printable ASCII."""
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError("must be one word of plain letters, digits and signs, and not empty")
    return secret


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; path-like; the name of a folder
        near = get_close_matches(name, available_timezones(), n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ', such as "Europe/Berlin"'
        raise ValueError("must be a time zone of the IANA list" + hint) from None
    return name


def _sqlite_url(url: str) -> str:
    path = url.removeprefix("sqlite:///")
    if path == url:
        raise ValueError('must begin with "sqlite:///"; this version supports only SQLite')
    if not path or path == ":memory:":
        raise ValueError('must name a file, such as "sqlite:///slotbridge.db"')
    return url


def _listen(value: str) -> str:
    match = _LISTEN.fullmatch(value)
    if value and not (match and int(match[1]) <= 65535):
        raise ValueError('must be an address and a port, such as "127.0.0.1:8080", or "" for none')
    return value


def _label(value: str) -> str:
    if not value or value != value.strip() or not value.isprintable() or len(value) > 100:
        raise ValueError("must have 1 to 100 printable characters and no space at either end")
    return value


def _told(value: str) -> str:
    if not value.strip() or len(value) > 255:
        raise ValueError("must have 1 to 255 characters that are not all spaces")
    return value


_Whole = Annotated[int, BeforeValidator(_no_bool)]
_Decimal = Annotated[float, BeforeValidator(_no_bool)]
_STRIPPED = BeforeValidator(_stripped)

Count = Annotated[_Whole, AfterValidator(_at_least(0))]
Positive = Annotated[_Whole, AfterValidator(_at_least(1))]
Minutes = Annotated[_Whole, AfterValidator(_within(1, 1440))]
Batch = Annotated[_Whole, AfterValidator(_within(1, 1000))]
Ratio = Annotated[_Decimal, AfterValidator(_within(0.0, 1.0))]
Rate = Annotated[_Decimal, AfterValidator(_positive)]
Interval = Annotated[int, BeforeValidator(_seconds), AfterValidator(_lasting(10, 2_592_000, "10s and 720h"))]
Grace = Annotated[int, BeforeValidator(_seconds), AfterValidator(_lasting(0, 3600, "0s and 1h"))]
Label = Annotated[str, AfterValidator(_label)]
Code = Annotated[str, AfterValidator(_told)]
Name = Annotated[str, AfterValidator(_told)]
Zone = Annotated[str, AfterValidator(_zone)]
WebUrl = Annotated[str, _STRIPPED, AfterValidator(_web_url)]
PortalUrl = Annotated[str, _STRIPPED, AfterValidator(_portal_url)]
Origin = Annotated[str, _STRIPPED, AfterValidator(_origin)]
SqliteUrl = Annotated[str, AfterValidator(_sqlite_url)]
Listen = Annotated[str, AfterValidator(_listen)]
Token = Annotated[SecretStr, _STRIPPED, AfterValidator(_token)]
WebhookUrl = Annotated[SecretStr, _STRIPPED, AfterValidator(_webhook_url)]
