"""The week both sides are compared in: windows, weekday names and numbers, placeholder times, zone shifts.

Minutes count from midnight, 0 to 1440. Weekdays count from Monday = 0. Nothing here knows either API.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY: Final = 1440
WEEK: Final = 7 * DAY

PLACEHOLDER_MONDAY: Final = date(2024, 1, 1)
"""The Monday from which placeholder dates are counted (V5)."""


class Window(NamedTuple):
    """A stretch of one weekday, `0 ≤ start < end ≤ 1440`, in the service's time zone."""

    weekday: int
    start: int
    end: int

    @property
    def length(self) -> int:
        """Minutes from start to end."""
        return self.end - self.start

    def overlap(self, other: Window) -> int:
        """Minutes that both windows cover; 0 on different days."""
        if self.weekday != other.weekday:
            return 0
        return max(0, min(self.end, other.end) - max(self.start, other.start))

    def contains(self, other: Window) -> bool:
        """Whether `other` lies wholly inside this window."""
        return self.weekday == other.weekday and self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        return f"{DAY_NAMES[self.weekday]} {clock(self.start)}–{clock(self.end)}"


def clock(minute: int) -> str:
    """`HH:MM` for a minute of the day; 1440 is 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def stretch(weekday: int, start: int, end: int) -> tuple[Window, ...]:
    """The windows of a stretch that starts on `weekday` and may begin before or run past midnight.

    `start` and `end` are minutes from that day's midnight and may lie outside 0–1440; what crosses midnight is cut,
    each part on its own day, in the order of time.
    """
    if start >= 0 and end <= DAY:
        return (Window(weekday, start, end),)
    parts = []
    while start < end:
        day = start // DAY
        stop = min(end, (day + 1) * DAY)
        parts.append(Window((weekday + day) % 7, start - day * DAY, stop - day * DAY))
        start = stop
    return tuple(parts)


@lru_cache(maxsize=2048)
def find_zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, or None where there is none (V7)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # zoneinfo raises ValueError for names that look like paths and OSError for ones that are folders.
        return None


def _offset(zone: ZoneInfo, day: date) -> int:
    """Minutes east of UTC at noon of that day. Noon, since clocks are changed at night."""
    offset = datetime.combine(day, time(12), zone).utcoffset() or timedelta()
    return round(offset.total_seconds() / 60)


@lru_cache(maxsize=8192)
def offset_on(zone: str, day: date) -> int:
    """Minutes east of UTC of a known zone at noon of that day.

    For dates before 1970 the offset of the placeholder week is taken: zone data of year 1 are local mean times.
    """
    found = find_zone(zone)
    if found is None:
        return 0
    return _offset(found, day if day.year >= 1970 else PLACEHOLDER_MONDAY)


@lru_cache(maxsize=8192)
def zone_shift(source: str, target: str, weekday: int, today: date) -> int:
    """Minutes to add to a time in `source` to read it in `target`, on that weekday's next date, today included (V2)."""
    if source == target:
        return 0
    day = today + timedelta(days=(weekday - today.weekday()) % 7)
    return offset_on(target, day) - offset_on(source, day)


@lru_cache(maxsize=1024)
def same_zone(one: str, other: str) -> bool:
    """Whether two names stand for the same clock, as Europe/Kiev and Europe/Kyiv do (V2).

    The time zone database links names whose clocks have agreed since 1970; the same is asked here, twice a month.
    """
    if one == other:
        return True
    first, second = find_zone(one), find_zone(other)
    if first is None or second is None:
        return False
    days = (date(year, month, day) for year in range(1970, 2038) for month in range(1, 13) for day in (5, 20))
    return all(_offset(first, day) == _offset(second, day) for day in days)


class ClockText(NamedTuple):
    """A time as a server wrote it.

    The day as an ordinal, or None where no date was given; the minute of the day, 0 to 1440; the seconds beyond it,
    without fractions, which are decoration; and the minutes east of UTC, or None for no zone.
    """

    day: int | None
    year: int
    minute: int
    seconds: int
    zone: int | None


_TIME_TEXT: Final = re.compile(
    r"(?:(\d{4})-(\d\d)-(\d\d)[T ])?(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def read_time(text: str) -> ClockText | None:
    """Reads a time in any form that a ReserveKit server is known to send, or returns None.

    Own pattern, because Python's parsers know no year 0, which a Go server writes for a bare time of day.
    """
    found = _TIME_TEXT.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hours, minutes, seconds, zone = found.groups()
    minute = int(hours) * 60 + int(minutes)
    beyond = int(seconds or 0)
    if int(minutes) > 59 or beyond > 59 or minute > DAY or (minute == DAY and beyond):
        return None
    try:
        # The calendar repeats every 400 years, so a shifted year keeps every difference of days.
        ordinal = date(int(year) + 400, int(month), int(day)).toordinal() if year else None
    except ValueError:
        return None
    return ClockText(ordinal, int(year or 0), minute, beyond, _zone_minutes(zone))


def _zone_minutes(text: str | None) -> int | None:
    if text is None:
        return None
    if text in "Zz":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if text[0] == "-" else minutes


def shown_date(text: ClockText) -> date:
    """The date a server showed, or the placeholder Monday where it showed none that zone data are good for."""
    if text.day is None or text.year < 1970 or text.year > 9000:
        return PLACEHOLDER_MONDAY
    return date.fromordinal(text.day).replace(year=text.year)


def placeholder(weekday: int, minute: int) -> datetime:
    """The placeholder instant, without zone, of a minute of that weekday (V5); 1440 is the next day's midnight."""
    return datetime.combine(PLACEHOLDER_MONDAY, time()) + timedelta(days=weekday, minutes=minute)
