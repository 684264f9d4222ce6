"""Small worlds for the lens laws: few times and zones, so that things collide."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from slotbridge.lenses.items import Odd, Range, TimeSlot
from slotbridge.lenses.terms import Terms, Wanted
from slotbridge.week import DAY, DAY_NAMES, Window

ZONES = (
    "Europe/Berlin",
    "Europe/Kyiv",
    "Europe/Kiev",
    "America/New_York",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
)
DAYS = (date(2026, 11, 21), date(2026, 3, 27), date(2026, 10, 30), date(2026, 6, 1))

minutes = st.sampled_from((0, 15, 480, 540, 600, 720, 1080, 1380, 1439, DAY))
spans = st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map(sorted)
windows = st.builds(lambda day, span: Window(day, *span), st.integers(0, 6), spans)


def terms(slots: str | None = None) -> st.SearchStrategy[Terms]:
    return st.builds(
        Terms,
        zone=st.sampled_from(ZONES),
        today=st.sampled_from(DAYS),
        slots=st.sampled_from(("window", "split")) if slots is None else st.just(slots),
        day_zero=st.sampled_from(("monday", "sunday")),
        time_basis=st.sampled_from(("auto", "wall", "utc")),
        end_of_day=st.sampled_from(("next-day", "23:59:59")),
        time_format=st.sampled_from(("naive", "rfc3339")),
    )


ranges = st.builds(
    lambda span, zone, days, size: Range(span[0], span[1], zone, tuple(days), size),
    spans,
    st.sampled_from(ZONES),
    st.lists(st.sampled_from(DAY_NAMES), min_size=1, max_size=8),
    st.sampled_from((0, 15, 20, 30, 45, 60, 600)),
)

odd_ranges = st.sampled_from(
    (
        Odd('{"from":"x"}', "from is no number"),
        Range(540, 480, "Europe/Berlin", ("Mon",), 30),
        Range(540, 600, "Mars/Olympus", ("Mon", "Tue"), 30),
        Range(540, 600, "Europe/Berlin", ("Monday",), 30),
        Range(540, 600, "Europe/Berlin", (), 30),
        Range(-5, 1500, "Europe/Berlin", ("Sun",), 30),
    )
)

range_lists = st.lists(st.one_of(ranges, ranges, ranges, odd_ranges), max_size=5)

time_texts = st.sampled_from(
    (
        ("2023-01-01 09:00:00", "2023-01-01 17:00:00"),
        ("0000-01-01T09:00:00Z", "0000-01-01T17:30:00Z"),
        ("2024-01-01T22:00:00", "2024-01-02T02:00:00"),
        ("2024-07-01T07:00:00.000Z", "2024-07-01T08:00:00.000Z"),
        ("2023-01-01T09:00:00-05:00", "2023-01-01T10:00:00-05:00"),
        ("09:00", "12:00"),
        ("22:00", "02:00"),
        ("00:00:00", "24:00:00"),
        ("00:00:00", "23:59:59"),
        ("00:00:00", "00:00:00"),
        ("09:00:30", "10:00:00"),
        ("nine", "ten"),
    )
)


@st.composite
def slot_lists(draw: st.DrawFn) -> list[TimeSlot | Odd]:
    count = draw(st.integers(0, 6))
    items: list[TimeSlot | Odd] = []
    for number in range(1, count + 1):
        if draw(st.integers(0, 9)) == 0:
            items.append(Odd(f'{{"id":{number}}}', "start_time is missing", number))
        else:
            start, end = draw(time_texts)
            items.append(TimeSlot(number, draw(st.integers(-1, 7)), start, end, draw(st.integers(0, 3))))
    return items


@st.composite
def wanted_lists(draw: st.DrawFn, seen: list[Wanted]) -> list[Wanted]:
    """What is there, with some windows dropped, edited in place or moved, and some new."""
    wanted = []
    for want in seen:
        fate = draw(st.integers(0, 9))
        if fate == 0:
            continue
        if fate == 1:
            want = want._replace(window=draw(windows))
        if fate == 2:
            want = want._replace(capacity=draw(st.integers(1, 60)))
        if fate == 3:
            want = want._replace(at=None)
        wanted.append(want)
    wanted += [Wanted(window, draw(st.integers(1, 60))) for window in draw(st.lists(windows, max_size=3))]
    return draw(st.permutations(wanted))
