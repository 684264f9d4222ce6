"""How ReserveKit writes times: digits on a placeholder date, in one of several texts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from slotbridge.sandbox.behaviour import ReserveKitBehaviour

_TEXT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)(?:\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?",
)
_SAMPLE_DATE = date(2023, 1, 1)  # the guide's samples use it
_RECENT = date(2024, 1, 1)  # stands in for a date that cannot tell an offset
_DAY = timedelta(days=1)


class Unreadable(ValueError):
    """The text is no time that the server takes."""


def show(digits: datetime, form: Literal["naive", "rfc3339", "offset", "iso", "micro", "year0", "time"]) -> str:
    """The digits in one of the texts seen from this server."""
    if form == "naive":
        return digits.isoformat(" ", "seconds")
    if form == "year0":  # what a Go server writes for a column that holds a time of day only
        return f"0000-01-01T{digits.time().isoformat('seconds')}Z"
    if form == "time":
        return digits.time().isoformat("seconds")
    ending = {"iso": "", "rfc3339": "Z", "offset": "+00:00", "micro": ".000001Z"}[form]
    return digits.isoformat("T", "seconds") + ending


def read(text: str, zone: ZoneInfo, behaviour: ReserveKitBehaviour) -> datetime:
    """The digits that a text means to the server, seconds included. Raises Unreadable."""
    found = _TEXT.fullmatch(text)
    if found is None or behaviour.accepts == ("naive" if found["zone"] else "zoned"):
        raise Unreadable(text)
    try:
        day = found["date"].replace("0000-", "0004-", 1)  # Go knows the year 0, Python does not
        moment = datetime.fromisoformat(f"{day}T{found['time']}{found['zone'] or ''}")
    except ValueError as error:
        raise Unreadable(text) from error
    if moment.tzinfo is not None:
        return moment.astimezone(UTC).replace(tzinfo=None)
    mixed = behaviour.naive_input == "wall" and behaviour.basis == "utc"
    return _to_utc(moment, zone) if mixed else moment


def stored(start: datetime, end: datetime, behaviour: ReserveKitBehaviour) -> tuple[datetime, datetime]:
    """What the server keeps of a pair of times: rounded, and on its own date if it has one."""
    later = _DAY if end.date() > start.date() and behaviour.keeps_end_date else timedelta()
    start, end = _rounded(start, behaviour.round_minutes), _rounded(end, behaviour.round_minutes)
    if behaviour.placeholder is None:
        return start, end
    day = datetime.combine(date.fromisoformat(behaviour.placeholder), time())
    return day + _time_of_day(start), day + _time_of_day(end) + later


def from_wall(start: int, end: int, zone: ZoneInfo, behaviour: ReserveKitBehaviour) -> tuple[datetime, datetime]:
    """What the dashboard stores for minutes since midnight on the service's clock; 1440 is midnight."""
    day = datetime.combine(date.fromisoformat(behaviour.placeholder or _SAMPLE_DATE.isoformat()), time())
    digits = (day + timedelta(minutes=start), day + timedelta(minutes=end))
    if behaviour.basis == "utc":
        digits = (_to_utc(digits[0], zone), _to_utc(digits[1], zone))
    return stored(*digits, behaviour)


def to_wall(start: datetime, end: datetime, zone: ZoneInfo, behaviour: ReserveKitBehaviour) -> tuple[int, int]:
    """What the dashboard shows: minutes since midnight of the service's clock; an end past midnight exceeds 1440."""
    if behaviour.basis == "utc":
        dateless = behaviour.text_form in ("year0", "time")
        start, end = (_from_utc(_on_recent(digits) if dateless else digits, zone) for digits in (start, end))
    first, last = (int(_time_of_day(digits).total_seconds()) // 60 for digits in (start, end))
    return first, last if last > first else last + 1440


def _on_recent(digits: datetime) -> datetime:
    return datetime.combine(_RECENT, digits.time())


def _to_utc(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def _from_utc(digits: datetime, zone: ZoneInfo) -> datetime:
    return digits.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def _time_of_day(digits: datetime) -> timedelta:
    return digits - datetime.combine(digits.date(), time())


def _rounded(digits: datetime, minutes: int) -> datetime:
    if minutes == 0:
        return digits
    step = timedelta(minutes=minutes)
    midnight = datetime.combine(digits.date(), time())
    return midnight + round((digits - midnight) / step) * step
