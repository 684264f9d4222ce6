"""Both servers and the wire to them, with books kept of everything that people and slotbridge do to them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import httpx

from slotbridge.sandbox.reservations_shown import shown_slot
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.world import World
from slotbridge.settings import PairSettings
from tests.http.clock import FakeClock
from tests.simulation.case import Case, Step
from tests.simulation.ledger import Ledger, same_items
from tests.simulation.people import ZONE, People
from tests.simulation.rig import Machine, base_settings, request_name
from tests.simulation.shown import Shown, shown


@lru_cache(maxsize=1024)
def _pair(name: str, resource: int, service: int, options: tuple[tuple[str, Any], ...]) -> PairSettings:
    """They are the same from run to run, and looked at several times in each."""
    return PairSettings(name=name, resource_id=resource, service_id=service, **dict(options))


@dataclass(slots=True)
class AimedFault(Fault):
    """A fault that tells when it strikes."""

    strikes: Callable[[str], None] = lambda kind: None

    def is_due(self) -> bool:
        due = Fault.is_due(self)
        if due:
            self.strikes(self.kind)
        return due


@dataclass
class Watched:
    """What a case is played on: a machine, both servers, and a ledger for each pair."""

    case: Case
    counters: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.clock = FakeClock(start=6 * 3600)
        self.world = World(self.clock)
        self.trace = hashlib.sha256()
        behaviour = {"limiter": False, "requests_per_month": None} | self.case.setup["reservekit"]
        self.world.portal.behaviour = replace(self.world.portal.behaviour, limiter=False, **self.case.setup["bitrix24"])
        self.world.reservations.behaviour = replace(self.world.reservations.behaviour, **behaviour)
        self.options = [dict(options) for options in self.case.setup["pairs"]]
        names = [f"pair{number + 1}" for number in range(len(self.options))]
        self.ids = [
            (self.world.portal.add_resource(name), self.world.reservations.add_service(name, ZONE)) for name in names
        ]
        self.people = People(self.world, self.ids)
        self.ledgers = [Ledger(name, self._shown(number), ZONE) for number, name in enumerate(names)]
        settings = base_settings(**_settings_for(self.case.setup["reservekit"]))
        counts = self.case.seed % 8 == 0
        self.machine = Machine(self.world, self.clock, settings, self.exchange, counts=counts)
        self.meanwhile: list[Step] = []
        self.requests = 0
        self.struck = ""
        self.wrote = 0
        self.read_to = 0
        self._intents = False

    @property
    def pairs(self) -> list[PairSettings]:
        return [
            _pair(ledger.name, *ids, tuple(options.items()))
            for ledger, ids, options in zip(self.ledgers, self.ids, self.options, strict=True)
        ]

    def _shown(self, number: int) -> Shown:
        resource, service = self.ids[number]
        split = self.options[number].get("slots") == "split"
        state = self.world.reservations
        zone = state.services[service].timezone
        today = self.clock.now().date()
        return shown(self.world.portal.slots(resource), state.slots(service), zone, today, split=split)

    def observe_people(self) -> bool:
        """Books everything that changed since the last look as people's doing."""
        changed = [ledger.people_did(self._shown(number)) for number, ledger in enumerate(self.ledgers)]
        return any(changed)

    # What passes between slotbridge and the servers.

    def exchange(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """One request: people who come in between, then the servers' answer, then the books."""
        self._people_in_between()
        self.requests += 1
        name = request_name(request, body)
        write = name == "slots.set" or (request.method != "GET" and name != "slots.list")
        late_before = self._late()
        self.struck = ""
        if write:
            self.wrote += 1
            self._before_write(request, body, name)
        url = request.url
        answer = self.world.answer(request.method, url.path, url.query.decode(), dict(request.headers.items()), body)
        self.trace.update(b"\n".join((request.method.encode(), url.raw_path, body, answer.body)))
        landed = self._late() < late_before
        if write or landed:
            self._book(landed=landed)
        if name == "slots.set" and self.struck not in ("answer", "drop-before"):
            self._count_sets(body)
        clean = self.struck == "" and not answer.dropped
        if clean:
            self._slotbridge_saw(name, answer.body)
            self._note_reading(name, url.params.get("service_id"))
        elif self.struck == "stale":
            self._slotbridge_saw_the_past(name, answer.body)
            self._note_reading(name, url.params.get("service_id"))
        if answer.dropped or answer.cut:
            raise httpx.RemoteProtocolError("the connection broke", request=request)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)

    def _late(self) -> int:
        return len(self.world.traffic._late)

    def _people_in_between(self) -> None:
        for step in [step for step in self.meanwhile if step[0] <= self.requests]:
            self.meanwhile.remove(step)
            if self._late():
                self.counters["edit put off: a late write is under way"] += 1
                continue
            self.people.do(*step[1:])
            for number, ledger in enumerate(self.ledgers):
                if ledger.people_did(self._shown(number)):
                    ledger.run.changed_by_people = ledger.troubled = True
                    self.counters["meanwhile"] += 1

    def _book(self, *, landed: bool) -> None:
        for number, ledger in enumerate(self.ledgers):
            ledger.slotbridge_did(self._shown(number), landed=landed)

    def _before_write(self, request: httpx.Request, body: bytes, name: str) -> None:
        if name == "slots.set":
            self._before_set(body)
        elif request.method == "PATCH":
            self._before_patch(json.loads(body))
        elif request.method == "DELETE":
            self._before_delete(int(request.url.path.rsplit("/", 1)[1]))

    def _written_in(self, body: bytes) -> list[Ledger]:
        """The pairs whose ranges a batch sets."""
        text = body.decode()
        marks = [(f"resourceId={resource}&slots", f'unset?resourceId={resource}"') for resource, _ in self.ids]
        return [ledger for ledger, mark in zip(self.ledgers, marks, strict=True) if any(m in text for m in mark)]

    def _before_set(self, body: bytes) -> None:
        for ledger in self._written_in(body):
            self._blinded(ledger)
            if ledger.run.blind:
                ledger.run.overwritten |= set(ledger.now.in_bitrix24)

    def _count_sets(self, body: bytes) -> None:
        for ledger in self._written_in(body):
            ledger.run.sets += 1

    def _row(self, slot_id: int) -> dict[str, object] | None:
        state = self.world.reservations
        slot = state.time_slots.get(slot_id)
        return None if slot is None else shown_slot(slot, state.behaviour)

    def _owner(self, slot_id: int) -> Ledger | None:
        slot = self.world.reservations.time_slots.get(slot_id)
        services = [service for _, service in self.ids]
        return self.ledgers[services.index(slot.service_id)] if slot else None

    def _before_patch(self, body: dict[str, Any]) -> None:
        ledger = self.ledgers[[service for _, service in self.ids].index(body["service_id"])]
        self._blinded(ledger)
        for row in body["time_slots"]:
            if row.get("id") is None:
                self.counters["POST a slot"] += 1
            else:
                self._race(ledger, int(row["id"]))
        if self.world.reservations.behaviour.patch == "replace":
            for slot_id in ledger.now.slots.keys() - {row.get("id") for row in body["time_slots"]}:
                self._race(ledger, slot_id)

    def _before_delete(self, slot_id: int) -> None:
        ledger = self._owner(slot_id)
        if ledger is not None:
            ledger.run.deleted_slots += 1
            self._blinded(ledger)
            self._race(ledger, slot_id)

    def _blinded(self, ledger: Ledger) -> None:
        """Bitrix24 has changed since slotbridge saw it."""
        ledger.run.blind |= ledger.seen_ranges is None or not same_items(ledger.seen_ranges, ledger.now.ranges)

    def _race(self, ledger: Ledger, slot_id: int) -> None:
        """A write to a slot that has changed since slotbridge saw it: nobody could have known."""
        row = self._row(slot_id)
        if row is None or ledger.seen_rows.get(slot_id) == row:
            return
        ledger.run.blind = True
        ledger.raced.update(ledger.now.slots[slot_id][0])
        self.counters["raced in ReserveKit"] += 1

    def _slotbridge_saw(self, name: str, body: bytes) -> None:
        if name in ("slots.list", "slots.set"):
            for ledger in self.ledgers:
                ledger.seen_ranges = ledger.now.ranges
        elif name == "GET time-slots":
            self._saw_rows(body)

    def _slotbridge_saw_the_past(self, name: str, body: bytes) -> None:
        """A stale answer. Of ReserveKit each row is known that was seen; of Bitrix24 whatever stands there is raced:
        hours that went back to what they were look like somebody's edit (M10)."""
        for ledger in self.ledgers:
            ledger.run.blind, ledger.rested = True, None
            if name in ("slots.list", "slots.set"):
                ledger.seen_ranges = None
                ledger.raced.update(ledger.now.in_bitrix24, ledger.now.in_reservekit)
            if name == "GET time-slots" and ledger.lost:
                # Neither the base nor the notes know what was created a moment ago.
                ledger.copies.update(ledger.now.in_reservekit)
        if name == "GET time-slots":
            self._saw_rows(body)

    def _note_reading(self, name: str, service: str | None) -> None:
        for ledger, (_, own) in zip(self.ledgers, self.ids, strict=True):
            ledger.run.read_bitrix24 |= name in ("slots.list", "slots.set")
            ledger.run.read_reservekit |= name == "GET time-slots" and service == str(own)

    def _saw_rows(self, body: bytes) -> None:
        try:
            rows = json.loads(body)["data"]["time_slots"]
        except (ValueError, KeyError, TypeError):
            return
        for row in rows:
            service = int(row["service_id"])
            ledger = self.ledgers[[known for _, known in self.ids].index(service)]
            ledger.seen_rows[int(row["id"])] = row


def _settings_for(behaviour: dict[str, Any]) -> dict[str, Any]:
    """What a user would have to configure for a server that behaves like that."""
    settings: dict[str, Any] = {}
    if behaviour.get("day_base") == "sunday":
        settings["day_zero"] = "sunday"
    if behaviour.get("basis") == "utc":
        settings["time_basis"] = "utc"
    if behaviour.get("placeholder"):
        settings["time_basis"] = "wall"
    if behaviour.get("patch") == "replace":
        settings["patch"] = "full"
    return settings
