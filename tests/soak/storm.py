"""The storm: faults, events, edits, kills, commands and a full disk, each at its own pace, all by one seed."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from slotbridge.cli.render.decisions import KEEP
from slotbridge.errors import Side
from slotbridge.sandbox.deliveries import BookingHook
from slotbridge.sandbox.traffic import FaultKind
from tests.soak.business import Business, CountedFault
from tests.soak.machine import TOKEN, Machine, event
from tests.soak.people import People

TICK = 0.1
AWAY = 100_000
FIRST_REQUEST = 15.0
MOST_FAULTS = 4
"""So many wait for their requests at most."""

KINDS: Sequence[tuple[FaultKind, int]] = (
    ("drop-before", 3),
    ("drop-after", 3),
    ("slow", 3),
    ("cut", 2),
    ("malformed", 1),
    ("html", 2),
    ("bad-gateway", 3),
    ("empty", 1),
    ("answer", 6),
)
ANSWERS: Sequence[tuple[Side, int, dict[str, str], str]] = (
    ("bitrix24", 503, {}, '{"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}'),
    ("bitrix24", 500, {}, '{"error": "INTERNAL_SERVER_ERROR", "error_description": "oops"}'),
    # Where nobody tells when it ends, it is waited out for ten minutes.
    (
        "bitrix24",
        429,
        {},
        '{"error": "OPERATION_TIME_LIMIT", "error_description": "later", "time": {"finish": 1000,'
        ' "operating": 481, "operating_reset_at": 1005}}',
    ),
    ("reservekit", 429, {"retry-after": "1"}, '{"error": {"code": "rate_limit_exceeded", "message": "slow down"}}'),
    ("reservekit", 429, {}, '{"error": {"code": "rate_limit_exceeded", "message": "slow down"}}'),
    ("reservekit", 503, {}, '{"error": {"code": "unavailable", "message": "later"}}'),
    ("reservekit", 500, {}, '{"error": {"code": "internal", "message": "oops"}}'),
)


@dataclass(slots=True)
class Act:
    """Something that is done again and again, on average every `gap` seconds; `due` is an instant."""

    gap: float
    do: Callable[[], None]
    due: float = 0.0


class Storm:
    """Blows for `seconds`: first over daemons that are killed, then over one that is left alive.

    `gusts` is how many times as often everything happens as in the long form. `complaints` is what went wrong on
    the way, as sentences.
    """

    def __init__(
        self, machine: Machine, business: Business, random: Random, *, seconds: float, full_disk: bool, gusts: float
    ) -> None:
        self.machine, self.business, self.random = machine, business, random
        self.people = People(business, random)
        self.counters: Counter[str] = Counter()
        self.complaints: list[str] = []
        self._seconds = seconds
        self._gusts = gusts
        self._disk_full_until: float | None = None
        self._windy = True
        self._full_disk = full_disk

    def blow(self, *, enduring: bool = True) -> None:
        """All of it. Not `enduring`, daemons are killed until the end, and the calm begins with a new one."""
        self._listen()
        for _ in range(MOST_FAULTS):
            self._fault()
        self.machine.start()
        self._await_first_request()
        begun = time.monotonic()
        self._phase(begun + self._seconds * (0.6 if enduring else 1.0), self._acts(kills=True))
        self._free_disk()
        self._kill()
        if enduring:
            self._phase(begun + self._seconds, self._acts(kills=False))
            self._free_disk()
        with self.business.lock:
            self.business.faults.clear()

    def _await_first_request(self) -> None:
        until = time.monotonic() + FIRST_REQUEST
        while not self.business.log and time.monotonic() < until:
            time.sleep(TICK)

    def _acts(self, *, kills: bool) -> list[Act]:
        acts = [
            Act(0.5, self._sample),
            Act(1.0, self._edit),
            Act(0.3, self._fault),
            Act(40.0, self._mislead),
            Act(7.0, self._change_wind),
            Act(1.0, self._forge),
            Act(6.0 * self._gusts, self._look),
            Act(40.0, self._wipe),
            Act(20.0, self._decide),
            Act(1.0, self._keep_alive),
        ]
        if kills:
            acts.append(Act(25.0, self._end_a_life))
        if self._full_disk:
            acts.append(Act(self._seconds * self._gusts / 3, self._spoil_disk))
        return acts

    def _phase(self, until: float, acts: Sequence[Act]) -> None:
        for act in acts:
            self._put_off(act)
        while (now := time.monotonic()) < until:
            for act in acts:
                if act.due <= now:
                    act.do()
                    self._put_off(act)
            if self._disk_full_until is not None and now >= self._disk_full_until:
                self._free_disk()
            time.sleep(TICK)

    def _put_off(self, act: Act) -> None:
        act.due = time.monotonic() + act.gap / self._gusts * self.random.uniform(0.5, 1.5)

    # What people and the services do.

    def _listen(self) -> None:
        """The daemon's address is known to the portal, once with a wrong token, and to ReserveKit."""
        hooks, events = self.machine.hooks, self.business.portal.events
        with self.business.lock:
            events.outgoing = events.listen(f"{hooks}/bitrix24", TOKEN)
            events.handlers.append(events.listen(f"{hooks}/bitrix24", "another"))
            self.business.watch_bookings(BookingHook(f"{hooks}/reservekit"))

    def _edit(self) -> None:
        self.counters[f"edit: {self.people.edit()}"] += 1
        self.counters["edits"] += 1

    def _wipe(self) -> None:
        self.people.wipe()
        self.counters["a form cleared"] += 1

    def _fault(self) -> None:
        if not self._windy or len(self.business.faults) > MOST_FAULTS:
            return
        self._add_fault(self.random.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS])[0])

    def _mislead(self) -> None:
        """An answer from the past, or a write that is executed after all when nobody expects it."""
        self._add_fault(self.random.choice(("stale", "late")))

    def _add_fault(self, kind: FaultKind) -> None:
        random = self.random
        more: dict[str, Any] = {"api": random.choice(("bitrix24", "reservekit", None))}
        if kind == "answer":
            api, status, headers, body = random.choice(ANSWERS)
            more = {"api": api, "status": status, "headers": headers, "body": body}
        fault = CountedFault(
            "",
            kind,
            times=1 if kind in ("stale", "late") else random.randint(1, 2),
            skip=random.randrange(3),
            after=random.randint(1, 3),
            seconds=random.uniform(0.5, 3),
            struck=self.business.struck,
            **more,
        )
        with self.business.lock:
            self.business.faults.append(fault)

    def _change_wind(self) -> None:
        """Faults come in squalls, between which something can travel; now and then a whole side is away for one."""
        self._windy = self.random.random() < 0.5
        with self.business.lock:
            self.business.faults[:] = [fault for fault in self.business.faults if fault.times < AWAY / 2]
            if self._windy and self.random.random() < 0.15:
                side: Side = self.random.choice(("bitrix24", "reservekit"))
                away = CountedFault("", "drop-before", times=AWAY, api=side, struck=self.business.struck)
                self.business.faults.append(away)
                self.counters["a side away"] += 1

    def _forge(self) -> None:
        """Events, most of them not worth their bytes."""
        random = self.random
        resource = random.choice(self.business.ids)[0]
        right = event(resource)
        name, body, path = random.choice(
            (
                ("right", right, "/hooks/bitrix24"),
                ("doubled", right, "/hooks/bitrix24"),
                ("wrong token", event(resource, "forged"), "/hooks/bitrix24"),
                ("unknown resource", event(999), "/hooks/bitrix24"),
                ("garbage", random.randbytes(random.randrange(2000)), "/hooks/bitrix24"),
                ("garbage", random.randbytes(random.randrange(2000)), "/hooks/reservekit"),
                ("oversized", bytes(70_000), "/hooks/bitrix24"),
                ("deep", b"[" * 50_000, "/hooks/reservekit"),
                ("booking", json.dumps({"time_slot": {"service_id": 1}}).encode(), "/hooks/reservekit"),
            )
        )
        statuses = [self.machine.tell(body, path) for _ in range(3 if name == "doubled" else 1)]
        self.counters[f"event: {name}"] += len(statuses)
        self.counters["events"] += len(statuses)
        if any(status is not None and status >= 500 for status in statuses):
            self.complaints.append(f"{path} answered {statuses} to an event ({name})")

    # What happens to the machine.

    def _sample(self) -> None:
        if self.machine.alive:
            self.machine.life.sample()

    def _end_a_life(self) -> None:
        if self.machine.alive and self.random.random() < 0.3:
            self._stop()
            self._start()
        elif self.machine.alive:
            self._kill()

    def _kill(self) -> None:
        self.machine.kill()
        self.counters["kills"] += 1
        self._start()

    def _stop(self) -> None:
        early = not self.machine.life.has_said("daemon.started")
        self.machine.stop()
        self.counters["stops"] += 1
        code = self.machine.life.process.returncode
        if code != 0 and not (early and code == -15):
            self.complaints.append(f"SIGTERM ended with {code}: {self.machine.life.log.name}")

    def _start(self) -> None:
        self.business.mishap()
        self.machine.start()
        self.counters["starts"] += 1

    def _keep_alive(self) -> None:
        """What systemd does: a daemon that has ended is started again, some seconds later."""
        life = self.machine.life
        if life.process.poll() is None or time.monotonic() - life.begun < 5:
            return
        self.counters["ended by itself"] += 1
        self.complaints.append(f"ended by itself with {life.process.returncode}: {life.log.name}")
        self._start()

    def _spoil_disk(self) -> None:
        if self._disk_full_until is None:
            self.machine.fill_disk()
            self._disk_full_until = time.monotonic() + 12
            self.counters["disk full"] += 1

    def _free_disk(self) -> None:
        if self._disk_full_until is not None:
            self.machine.free_disk()
            self._disk_full_until = None

    # What an operator does.

    def _look(self) -> None:
        """A command beside the daemon, and the exit code that it has to have."""
        backup = str(self.machine.folder / f"copy-{self.counters['commands']}.db")
        words, codes = self.random.choice(
            (
                (("run",), {5}),
                (("status",), {0}),
                (("status", "--json"), {0}),
                (("holds", "--json"), {0}),
                (("db", "backup", backup), {0}),
                (("db", "check"), {0}),
                (("healthcheck",), {0, 1}),
                (("history",), {0}),
            )
        )
        if not self.machine.at_work or self._disk_full_until is not None:
            return
        done = self.machine.command(*words)
        self.counters[f"command: {' '.join(words[:2] if words[0] == 'db' else words)}"] += 1
        self.counters["commands"] += 1
        if self.machine.alive and done.returncode not in codes:
            self.complaints.append(f"`{' '.join(words)}` ended with {done.returncode}: {done.stdout}{done.stderr}")

    def _decide(self) -> None:
        """Decides one of the holds."""
        if self._disk_full_until is None and (holds := self.open_holds()):
            self.decide(self.random.choice(holds))

    def open_holds(self) -> list[dict[str, Any]]:
        """What waits for a decision, as `holds --json` tells it."""
        done = self.machine.command("holds", "--json")
        found: list[dict[str, Any]] = json.loads(done.stdout)["holds"] if done.returncode == 0 else []
        return found

    def decide(self, hold: dict[str, Any]) -> None:
        """Approves it or keeps one side, as its kind has it."""
        with self.business.lock:
            book = next(book for book in self.business.observe() if book.name == hold["pair"])
            book.excuse(book.now.in_bitrix24.keys() ^ book.now.in_reservekit.keys())
        side = self.random.choice(("bitrix24", "reservekit"))
        way = ("--keep", side) if hold["kind"] in KEEP else ("--approve",)
        self.machine.command("resolve", hold["id"], *way)
        self.counters["decisions"] += 1
