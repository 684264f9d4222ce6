"""The tables. Domain types stay out of here, and these stay inside the store: table models do not validate."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import JSON, BindParameter, Column, Index, MetaData, Select, bindparam, inspect, select, text
from sqlmodel import Field, SQLModel


class Table(SQLModel):
    """The base of all tables. Constraints are named, because a batch migration can only drop what has a name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _json() -> Any:
    """A column of JSON text."""
    return Field(sa_column=Column(JSON, nullable=False))


def _json_or_null() -> Any:
    """A column of JSON text or, for None, NULL."""
    return Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class SlotLink(Table, table=True):
    """The mapping: one window of a pair's base, with what each side stored for it.

    Windows that are equal in everything are legal, hence the number of its own.
    """

    __tablename__ = "slot_link"

    id: int | None = Field(default=None, primary_key=True)
    pair: str = Field(index=True)
    weekday: int
    start_minute: int
    end_minute: int
    slot_size: int
    slot_id: int
    part: int
    max_bookings: int


class PairState(Table, table=True):
    """What is remembered of a pair besides its links. `agreement` is NULL as long as there is no base.

    `bitrix24_digest` is what Bitrix24 held when that was last known, in short. `refusal` is of older rows: there
    `refused` is a list, and this the words for all of it.
    """

    __tablename__ = "pair_state"

    pair: str = Field(primary_key=True)
    agreement: dict[str, Any] | None = _json_or_null()
    refused: dict[str, str] | None = _json_or_null()
    refusal: str | None = None
    streaks: dict[str, Any] | None = _json_or_null()
    last_attempt: datetime | None = None
    last_success: datetime | None = None
    last_error: str | None = None
    failing_since: datetime | None = None
    failures: int
    first_error: str | None = None
    bitrix24_digest: str | None = None


class Run(Table, table=True):
    """One pass over the pairs. `pairs` counts them by status."""

    __tablename__ = "run"

    id: int | None = Field(default=None, primary_key=True)
    started_by: str
    started_at: datetime = Field(index=True)
    finished_at: datetime | None = None
    bitrix24_requests: int
    reservekit_requests: int
    pairs: dict[str, int] | None = _json_or_null()


class Change(Table, table=True):
    """One item written, or one edit overruled (`kind`)."""

    __tablename__ = "change"
    __table_args__ = (Index(None, "pair", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    run: int = Field(foreign_key="run.id", index=True)
    pair: str
    at: datetime
    side: str
    op: str
    before: dict[str, Any] | None = _json_or_null()
    after: dict[str, Any] | None = _json_or_null()
    why: str
    kind: str


class PastBase(Table, table=True):
    """A pair's base before a run changed it. `links` are weekday, start, end and what else `slot_link` has.

    Both are NULL where there was none: the run was the pair's first.
    """

    __tablename__ = "past_base"
    __table_args__ = (Index(None, "pair", "run"),)

    id: int | None = Field(default=None, primary_key=True)
    run: int = Field(foreign_key="run.id", index=True)
    pair: str
    agreement: dict[str, Any] | None = _json_or_null()
    links: list[list[int]] | None = _json_or_null()


class Hold(Table, table=True):
    """A change that waits, or waited, for a person. It is open until `ended_at`; its decision ends with it."""

    __tablename__ = "hold"
    __table_args__ = (Index(None, "pair", "hold_id", unique=True, sqlite_where=text("ended_at IS NULL")),)

    id: int | None = Field(default=None, primary_key=True)
    hold_id: str
    pair: str
    kind: str
    reason: str
    fingerprint: str
    items: list[dict[str, Any]] = _json()
    since: datetime
    ended_at: datetime | None = None
    decision: str | None = None
    decided_at: datetime | None = None


class Intent(Table, table=True):
    """A creation of time slots that was about to be sent (W4). `windows` are weekday, start, end, max_bookings.

    `settled_at` is when a run found everything as it was meant to be.
    """

    __tablename__ = "intent"

    id: int | None = Field(default=None, primary_key=True)
    pair: str = Field(index=True)
    sent_at: datetime
    wait_until: datetime
    windows: list[list[int]] = _json()
    known_ids: list[int] = _json()
    settled_at: datetime | None = None


class ServiceZone(Table, table=True):
    """The time zone of a ReserveKit service, as it was read."""

    __tablename__ = "service_zone"

    service_id: int = Field(primary_key=True)
    zone: str | None = None
    read_at: datetime


class ListingPages(Table, table=True):
    """How many requests a service's time slots took when they were last listed; of service 0, the services."""

    __tablename__ = "listing_pages"

    service_id: int = Field(primary_key=True)
    pages: int


class RequestCount(Table, table=True):
    """How many requests were sent to a side in a calendar month (UTC, YYYY-MM), those of killed runs included."""

    __tablename__ = "request_count"

    month: str = Field(primary_key=True)
    side: str = Field(primary_key=True)
    requests: int


class SideState(Table, table=True):
    """What is known of a side as a whole, for as long as the same key is used (`key`: a digest of it, no secret).

    `bucket_empty_at`: when our requests so far will have drained from its bucket. `closed_at`: when it last refused a
    write that its key may not do. `spent_at`: when it last said that the month's requests are used up.
    `left_alone_since`: when it asked to be left alone until `left_alone_until`.
    """

    __tablename__ = "side_state"

    side: str = Field(primary_key=True)
    key: str | None = None
    bucket_empty_at: datetime | None = None
    closed_at: datetime | None = None
    closed_reason: str | None = None
    spent_at: datetime | None = None
    left_alone_since: datetime | None = None
    left_alone_until: datetime | None = None


class OAuthToken(Table, table=True):
    """The tokens of a Bitrix24 application. Secrets: they appear nowhere but here and in requests."""

    __tablename__ = "oauth_token"

    client_id: str = Field(primary_key=True)
    access_token: str
    refresh_token: str
    expires_at: datetime
    endpoint: str
    member_id: str | None = None
    stored_at: datetime


class Profile(Table, table=True):
    """The names and descriptions of a pair as both sides last agreed on them, as each side stored them."""

    __tablename__ = "profile"

    pair: str = Field(primary_key=True)
    source: str
    bitrix24: dict[str, Any] = _json()
    reservekit: dict[str, Any] = _json()


class Rescue(Table, table=True):
    """The ranges of a resource that a write of ours deletes or replaces until they are set again.

    `left` are those that it leaves in their place; NULL is none.
    """

    __tablename__ = "rescue"

    pair: str = Field(primary_key=True)
    resource_id: int
    ranges: list[dict[str, Any]] = _json()
    noted_at: datetime
    left: list[dict[str, Any]] | None = _json_or_null()


class Schedule(Table, table=True):
    """When the daemon means to run a pair next, why then, and how many seconds apart its runs are at present."""

    __tablename__ = "schedule"

    pair: str = Field(primary_key=True)
    next_at: datetime
    interval: int
    why: str


class MovedCustomer(Table, table=True):
    """A customer on the way from a booking to the wait list, step by step. Ids only: no name, no address."""

    __tablename__ = "moved_customer"
    __table_args__ = (Index(None, "booking_id", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    pair: str = Field(index=True)
    booking_id: int
    slot_id: int
    date: str
    contact_id: int | None = None
    waitlist_id: int | None = None
    step: str
    at: datetime


PAIRS: BindParameter[Any] = bindparam("pairs", expanding=True)
"""The names of pairs, a sequence, that a statement is executed with."""


@cache
def rows_of(table: type[Table]) -> Select[Any]:
    """A query for a table's plain rows: making objects of them would take longer than reading them."""
    found: Any = inspect(table)
    return select(*found.local_table.columns)


@cache
def rows_of_pairs(table: Any) -> Select[Any]:
    """A query for a table's plain rows of those pairs that it is executed with as `pairs`."""
    return rows_of(table).where(table.pair.in_(PAIRS))
