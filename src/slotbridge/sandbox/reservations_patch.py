"""`PATCH /time-slots`: a batch of slots, those with an id updated, the others created."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from slotbridge.sandbox import times
from slotbridge.sandbox.behaviour import ReserveKitBehaviour
from slotbridge.sandbox.reservations_shown import found, shown_slot
from slotbridge.sandbox.reservations_state import ReservationsState, StoredSlot
from slotbridge.sandbox.reservations_wire import Refusal, Success

_FIELDS = frozenset({"id", "day_of_week", "start_time", "end_time", "max_bookings"})
_DAY = timedelta(days=1)


def patch_slots(state: ReservationsState, body: Mapping[str, object]) -> Success:
    """Updates the slots that carry an id and creates the others."""
    service_id, given = body.get("service_id"), body.get("time_slots")
    if type(service_id) is not int or not isinstance(given, list):
        raise Refusal(400, "missing_required_field", "service_id and time_slots are required")
    found(state, service_id)
    limit = state.behaviour.max_batch
    if limit is not None and len(given) > limit:
        raise Refusal(400, "invalid_request", f"At most {limit} time slots per request")
    patch = _Patch(state, service_id)
    if state.behaviour.atomic:
        _atomically(state, lambda: patch.run(given))
    else:
        patch.run(given)
    answers = {"updated": patch.updated, "all": patch.touched, "empty": []}[state.behaviour.patch_answer]
    return Success([shown_slot(slot, state.behaviour) for slot in answers])


def create_slots(state: ReservationsState, service_id: int, given: object) -> None:
    """Creates the slots that come with a service."""
    if not isinstance(given, list):
        raise Refusal(400, "invalid_field_format", "time_slots must be a list")
    patch = _Patch(state, service_id)
    _atomically(state, lambda: patch.create(given))


def _atomically(state: ReservationsState, change: Callable[[], None]) -> None:
    slots = {key: copy.copy(slot) for key, slot in state.time_slots.items()}
    bookings = dict(state.bookings)
    try:
        change()
    except Refusal:
        state.time_slots, state.bookings = slots, bookings
        raise


@dataclass(frozen=True, slots=True)
class _Given:
    """One slot of the request, read. None: not sent."""

    id: int | None
    day: int | None
    start: datetime | None
    end: datetime | None
    max_bookings: int | None


@dataclass(slots=True)
class _Patch:
    """One PATCH under way: slots are read and stored one after the other."""

    state: ReservationsState
    service_id: int
    touched: list[StoredSlot] = field(default_factory=list)
    updated: list[StoredSlot] = field(default_factory=list)

    def run(self, items: list[object]) -> None:
        zone = self.state.zone(self.service_id)
        for index, item in enumerate(items):
            self._apply(_read(item, f"time_slots[{index}]", zone, self.state.behaviour))
        if self.state.behaviour.patch == "replace":
            self._remove_others()

    def create(self, items: list[object]) -> None:
        zone = self.state.zone(self.service_id)
        for index, item in enumerate(items):
            self._create(_read(item, f"time_slots[{index}]", zone, self.state.behaviour))

    def _remove_others(self) -> None:
        kept = {slot.id for slot in self.touched}
        for slot in self.state.rows(self.service_id):
            if slot.id not in kept:
                self.state.remove_slot(slot.id)

    def _apply(self, given: _Given) -> None:
        if not given.id:
            self._create(given)
            return
        slot = self.state.time_slots.get(given.id)
        if slot is not None and slot.service_id == self.service_id:
            self._update(slot, given)
        elif self.state.behaviour.stale_id == "404":
            raise Refusal(404, "time_slot_not_found", "Time slot not found")
        elif self.state.behaviour.stale_id == "create":
            self._create(given)

    def _create(self, given: _Given) -> None:
        if given.day is None or given.start is None or given.end is None or given.max_bookings is None:
            raise Refusal(400, "missing_required_field", "A new time slot needs day, times and max_bookings")
        start, end = times.stored(given.start, given.end, self.state.behaviour)
        slot = self.state.insert(self.service_id, given.day, start, end, given.max_bookings)
        self.touched.append(slot)

    def _update(self, slot: StoredSlot, given: _Given) -> None:
        if not self.state.behaviour.partial_update and None in (given.day, given.start, given.end, given.max_bookings):
            raise Refusal(400, "missing_required_field", "An update needs day, times and max_bookings")
        zero_is_missing = self.state.behaviour.zero_day == "unchanged"
        if given.day is not None and not (given.day == 0 and zero_is_missing):
            slot.day = given.day
        slot.max_bookings = given.max_bookings or slot.max_bookings
        times_given = (given.start or slot.start, given.end or slot.end)
        slot.start, slot.end = times.stored(*times_given, self.state.behaviour)
        self.state.touch(slot)
        self.touched.append(slot)
        self.updated.append(slot)


def _read(item: object, where: str, zone: ZoneInfo, behaviour: ReserveKitBehaviour) -> _Given:
    if not isinstance(item, dict):
        raise Refusal(400, "invalid_field_format", f"{where} must be an object")
    problems: dict[str, str] = {}
    given = _Given(
        id=_integer(item, "id", problems),
        day=_integer(item, "day_of_week", problems),
        start=_time(item, "start_time", zone, behaviour, problems),
        end=_time(item, "end_time", zone, behaviour, problems),
        max_bookings=_integer(item, "max_bookings", problems),
    )
    if behaviour.strict_fields:
        problems |= dict.fromkeys(sorted(item.keys() - _FIELDS), "unknown field")
    problems = _value_problems(given, behaviour) | problems
    if problems:
        details = {f"{where}.{name}": text for name, text in problems.items()}
        raise Refusal(400, "validation_failed", "Validation failed", details=details)
    return given


def _integer(item: dict[str, object], name: str, problems: dict[str, str]) -> int | None:
    """A number, as strict as Go's decoder: no text, no true."""
    value = item.get(name)
    if value is None or type(value) is int:
        return value
    problems[name] = "must be an integer"
    return None


def _time(
    item: dict[str, object], name: str, zone: ZoneInfo, behaviour: ReserveKitBehaviour, problems: dict[str, str]
) -> datetime | None:
    if item.get(name) is None:
        return None
    try:
        return times.read(str(item[name]), zone, behaviour)
    except times.Unreadable:
        problems[name] = "must be a time"
        return None


def _value_problems(given: _Given, behaviour: ReserveKitBehaviour) -> dict[str, str]:
    problems: dict[str, str] = {}
    if given.day is not None and given.day not in range(7):
        problems["day_of_week"] = "must be between 0 and 6"
    if given.day == 0 and behaviour.zero_day == "refuse":
        problems["day_of_week"] = "is required"
    if given.max_bookings is not None and given.max_bookings < 1:
        problems["max_bookings"] = "must be at least 1"
    if given.start is not None and given.end is not None:
        problems |= _order_problems(given.start, given.end, behaviour)
    return problems


def _order_problems(start: datetime, end: datetime, behaviour: ReserveKitBehaviour) -> dict[str, str]:
    if end <= start:
        return {"end_time": "must be after start_time"}
    midnight = datetime.combine(start.date(), datetime.min.time()) + _DAY
    past = end > midnight and behaviour.basis == "wall"
    return {"end_time": "must be on the same day"} if past and not behaviour.overnight else {}
