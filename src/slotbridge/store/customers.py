"""Customers on their way from a booking to the wait list, step by step. Ids and dates only: no name, no address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Engine, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import Connection
from sqlmodel import col

from slotbridge.store import tables
from slotbridge.store.engine import transaction
from slotbridge.store.prune import MOVED

Step = Literal[
    "noted",  # nothing was sent yet
    "adding contact",
    "contact",
    "adding entry",
    "entry",  # on the wait list, without a client so far
    "listed",  # also after a cancellation that was refused
    "cancelling",
    "cancelled",  # the booking; its time slot is still there
    "done",
]

_ON_THE_WAY: Final = (
    tables.rows_of_pairs(tables.MovedCustomer)
    .where(col(tables.MovedCustomer.step) != MOVED)
    .order_by(col(tables.MovedCustomer.id))
)


@dataclass(frozen=True, slots=True)
class Moved:
    """A customer, by the booking. What ends in -ing was about to be sent `at` that time, and may have been.

    `contact_id` is None as long as no contact is known, and for good if there is no way to reach the customer.
    """

    pair: str
    booking_id: int
    slot_id: int
    date: str
    step: Step
    at: datetime
    contact_id: int | None = None
    waitlist_id: int | None = None

    @property
    def is_listed(self) -> bool:
        """Whether the customer is on the wait list, or may be, while the time slot is not known to be gone."""
        return self.step in ("adding entry", "entry", "listed", "cancelling", "cancelled")


class Customers:
    """The part of the memory that keeps customers from being lost or doubled."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, moved: Sequence[Moved]) -> None:
        """Notes how far these customers are. When this returns, no power loss can undo it."""
        if not moved:
            return
        new = upsert(tables.MovedCustomer)
        rows = [asdict(one) for one in moved]
        newer = {name: new.excluded[name] for name in rows[0] if name != "booking_id"}
        with transaction(self._engine, durable=True) as connection:
            connection.execute(new.on_conflict_do_update(["booking_id"], set_=newer), rows)

    def of(self, bookings: Collection[int]) -> dict[int, Moved]:
        """How far the customers of these bookings are, by booking, for those that have ever set out."""
        table = tables.MovedCustomer
        with transaction(self._engine) as connection:
            found = connection.execute(tables.rows_of(table).where(col(table.booking_id).in_(bookings)))
            return {row.booking_id: _moved(row) for row in found}

    def conclude(self, pair: str, slots: Collection[int], at: datetime) -> None:
        """Notes that nobody is on the way from these time slots any more: they are gone, or stay after all."""
        table = tables.MovedCustomer
        here = (col(table.pair) == pair, col(table.slot_id).in_(slots), col(table.step) != MOVED)
        with transaction(self._engine) as connection:
            connection.execute(update(table).where(*here).values(step=MOVED, at=at))


def on_the_way(connection: Connection, pairs: Sequence[str]) -> defaultdict[str, tuple[Moved, ...]]:
    """The customers of these pairs who have not arrived, in the order in which they set out."""
    found: defaultdict[str, tuple[Moved, ...]] = defaultdict(tuple)
    for row in connection.execute(_ON_THE_WAY, {"pairs": pairs}):
        found[row.pair] += (_moved(row),)
    return found


def _moved(row: Any) -> Moved:
    return Moved(**{name: value for name, value in row._mapping.items() if name != "id"})
