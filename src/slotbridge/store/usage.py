"""How many requests were sent, and what is known of each side as a whole: it outlives the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, bindparam, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import col

from slotbridge.errors import Side
from slotbridge.store import tables
from slotbridge.store.engine import transaction

_COUNT, _STATE = upsert(tables.RequestCount), upsert(tables.SideState)
# Made once: the first two are executed with every request.
_MORE: Final = _COUNT.on_conflict_do_update(
    ["month", "side"], set_={"requests": col(tables.RequestCount.requests) + _COUNT.excluded.requests}
)
_FULLER: Final = _STATE.on_conflict_do_update(["side"], set_={"bucket_empty_at": _STATE.excluded.bucket_empty_at})
_LISTED: Final = upsert(tables.ListingPages)
_LISTED_ANEW: Final = _LISTED.on_conflict_do_update(["service_id"], set_={"pages": _LISTED.excluded.pages})
_SENT: Final = tables.rows_of(tables.RequestCount).where(col(tables.RequestCount.month) == bindparam("of"))
_SIDE: Final = tables.rows_of(tables.SideState).where(col(tables.SideState.side) == bindparam("of"))


@dataclass(frozen=True, slots=True)
class SideRecord:
    """What is known of a side, for as long as it is asked with the same key.

    `bucket_empty_at`: when what we sent will have drained from its bucket. `closed_at` and `closed_reason`: when and
    how it last refused a write that the key may not do. `spent_at`: when it said that the month is used up.
    `left_alone_since`: when it asked to be left alone until `left_alone_until`.
    """

    bucket_empty_at: datetime | None = None
    closed_at: datetime | None = None
    closed_reason: str | None = None
    spent_at: datetime | None = None
    left_alone_since: datetime | None = None
    left_alone_until: datetime | None = None

    def absence(self, now: datetime) -> float:
        """The seconds that it is still to be left alone for; none where the clock was set back since it asked."""
        since, until = self.left_alone_since, self.left_alone_until
        if since is None or until is None or not since <= now < until:
            return 0.0
        return (until - now).total_seconds()


_KNOWN: Final = tuple(field.name for field in fields(SideRecord))


class Usage:
    """The part of the memory that is about requests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self, side: Side, requests: int, at: datetime, bucket_empty_at: datetime | None) -> None:
        """Adds requests, or takes them back, in the calendar month (UTC) of `at`."""
        with transaction(self._engine) as connection:
            connection.execute(_MORE, {"month": month_of(at), "side": side, "requests": requests})
            if bucket_empty_at is not None:
                connection.execute(_FULLER, {"side": side, "bucket_empty_at": bucket_empty_at})

    def in_month(self, at: datetime) -> Mapping[Side, int]:
        """How many requests were sent to each side in the calendar month (UTC) of `at`."""
        counts: dict[Side, int] = {"bitrix24": 0, "reservekit": 0}
        with transaction(self._engine) as connection:
            return counts | {row.side: row.requests for row in connection.execute(_SENT, {"of": month_of(at)})}

    def pages(self) -> dict[int, int]:
        """How many requests each service's time slots took when they were last listed; under 0, the services."""
        with transaction(self._engine) as connection:
            return {row.service_id: row.pages for row in connection.execute(tables.rows_of(tables.ListingPages))}

    def note_pages(self, pages: Mapping[int, int]) -> None:
        """Notes the same, as far as it is news: most listings have as many pages as ever."""
        known = self.pages()
        rows = [{"service_id": each, "pages": count} for each, count in pages.items() if known.get(each) != count]
        if rows:
            with transaction(self._engine) as connection:
                connection.execute(_LISTED_ANEW, rows)

    def side(self, side: Side, key: str) -> SideRecord:
        """What is known of a side. `key` is a digest of the key and what else an answer depends on.

        Of another key nothing is known but how full the bucket is.
        """
        with transaction(self._engine) as connection:
            row = connection.execute(_SIDE, {"of": side}).first()
        if row is None:
            return SideRecord()
        if row.key != key:
            return SideRecord(bucket_empty_at=row.bucket_empty_at)
        return SideRecord(**{name: getattr(row, name) for name in _KNOWN})

    def note(self, side: Side, key: str, **known: Any) -> None:
        """Notes members of the side's record; those that are not named stay, unless the key is another one."""
        fresh = {name: None for name in _KNOWN if name != "bucket_empty_at"}
        table, other = tables.SideState, col(tables.SideState.key).is_distinct_from(key)
        with transaction(self._engine) as connection:
            connection.execute(upsert(table).values(side=side, key=key).on_conflict_do_nothing())
            here = col(table.side) == side
            connection.execute(update(table).where(here, other).values(key=key, **fresh))
            connection.execute(update(table).where(here).values(side=side, **known))


def month_of(at: datetime) -> str:
    """The calendar month by which the plans count, as YYYY-MM."""
    return f"{at:%Y-%m}"
