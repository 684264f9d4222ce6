"""Both servers, and people at work on either side, with books kept of who did what."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from slotbridge.sandbox.deliveries import Delivery
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.wire import Answer
from slotbridge.sandbox.world import World
from tests.simulation.shown import Shown, shown
from tests.soak.books import Book

ZONE = "Europe/Berlin"

_RESOURCE = re.compile(r'resourceId(?:=|":\s*"?)(\d+)')
_SET = re.compile(r"slots\.(?:un)?set")
_SPOILED = frozenset({"drop-before", "drop-after", "late", "cut", "malformed", "html", "bad-gateway", "empty"})


@dataclass(slots=True)
class CountedFault(Fault):
    """A fault that is counted when it strikes."""

    struck: list[str] = field(default_factory=list)

    def is_due(self) -> bool:
        due = Fault.is_due(self)
        if due:
            self.struck.append(self.kind if self.kind != "answer" else str(self.status))
        return due


class Business(World):
    """Several pairs. People and servers take turns: whoever edits does it `at_work`.

    `story` is every request with its answer, and every change of hours, in their order.
    """

    def __init__(self, pairs: int) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.struck: list[str] = []
        self.counters: Counter[str] = Counter()
        self.story: list[dict[str, Any]] = []
        self.portal.behaviour = replace(self.portal.behaviour, event_delay=0.3)
        self.reservations.behaviour = replace(self.reservations.behaviour, rate=20.0, burst=50, requests_per_month=None)
        names = [f"pair{number}" for number in range(1, pairs + 1)]
        self.ids = [(self.portal.add_resource(name), self.reservations.add_service(name, ZONE)) for name in names]
        self.books = [Book(name, self._shown(number)) for number, name in enumerate(names)]
        self._by_resource = {resource: book for (resource, _), book in zip(self.ids, self.books, strict=True)}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """People edit, and the difference is booked as theirs."""
        with self.lock:
            yield
            now = time.monotonic()
            before = [book.now for book in self.books]
            changed = [book.people_did(self._shown(number), now) for number, book in enumerate(self.books)]
            self.counters["edits that changed hours"] += any(changed)
            for book, old in zip(self.books, before, strict=True):
                self._tell("people", book, old)

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with self.lock:
            self.struck.clear()
            late, text = len(self.traffic._late), unquote(body.decode(errors="replace"))
            before = [book.now for book in self.books]
            books = self._asked_about(text) if path.startswith("/rest/") else []
            if _SET.search(text):
                for book in books:
                    book.before_set(time.monotonic())
            elif method in ("PATCH", "DELETE"):
                self._before_write(path, body)
            answer = super().answer(method, path, query, headers, body)
            if set(self.struck) - {"slow"} or answer.status != 200:
                self.mishap()
            self._look(landed=len(self.traffic._late) < late + ("late" in self.struck))
            self._saw(answer, books, path)
            self.story.append(
                {
                    "at": f"{self.clock.now():%H:%M:%S.%f}",
                    "request": f"{method} {path}?{query} {text}",
                    "faults": list(self.struck),
                    "status": answer.status,
                    "answer": answer.body.decode(errors="replace"),
                }
            )
            for book, old in zip(self.books, before, strict=True):
                self._tell("slotbridge", book, old)
            return answer

    def _tell(self, who: str, book: Book, old: Shown) -> None:
        """Adds to the story what has just changed in a pair."""
        sides = {"bitrix24": (old.in_bitrix24, book.now.in_bitrix24)}
        sides |= {"reservekit": (old.in_reservekit, book.now.in_reservekit)}
        for side, (was, now) in sides.items():
            if was != now:
                gone, come = list((was - now).elements()), list((now - was).elements())
                at = f"{self.clock.now():%H:%M:%S.%f}"
                self.story.append({"at": at, "who": who, "pair": book.name, "side": side, "gone": gone, "come": come})

    def mishap(self) -> None:
        """A request has failed, or slotbridge was killed."""
        with self.lock:
            for book in self.books:
                book.mishap(time.monotonic())

    def deliver_events(self) -> list[Delivery]:
        with self.lock:
            return super().deliver_events()

    def observe(self) -> Sequence[Book]:
        """The books as of now."""
        with self.lock:
            self._look(landed=False)
            return self.books

    def _look(self, *, landed: bool) -> None:
        """Books what changed as slotbridge's doing; a write that lands late hides what is there."""
        for number, book in enumerate(self.books):
            now = self._shown(number)
            if landed and now != book.now:
                book.veil(time.monotonic())
            book.look(now)

    def _saw(self, answer: Answer, books: Sequence[Book], path: str) -> None:
        """What slotbridge knows of both sides after an answer."""
        kinds = set(self.struck)
        self.counters["requests"] += 1
        for kind in self.struck:
            self.counters[f"fault: {kind}"] += 1
        if not kinds and answer.status in (429, 503):
            self.counters["refused for our pace"] += 1
        if "stale" in kinds:
            self._saw_the_past(answer, books)
            return
        if kinds & _SPOILED or answer.status != 200:
            return
        for book in books:
            book.seen_ranges = book.now.ranges
        if "time-slots" in path:
            for book in self.books:
                book.seen_slots |= book.now.slots if self._names(answer, book) else {}

    def _saw_the_past(self, answer: Answer, books: Sequence[Book]) -> None:
        """Hours that went back to what they were look like somebody's edit."""
        for book in books:
            book.seen_ranges = None
            book.veil(time.monotonic())
        for book in self.books:
            if self._names(answer, book):
                book.seen_slots = {}

    def _names(self, answer: Answer, book: Book) -> bool:
        service = self.ids[self.books.index(book)][1]
        return f'"service_id":{service}'.encode() in answer.body

    def _before_write(self, path: str, body: bytes) -> None:
        if path.rsplit("/", 1)[-1].isdecimal():
            ids = [int(path.rsplit("/", 1)[-1])]
        else:
            ids = [row["id"] for row in json.loads(body).get("time_slots", []) if row.get("id") is not None]
        for slot_id in ids:
            for book in self.books:
                book.before_write(slot_id)

    def _asked_about(self, text: str) -> list[Book]:
        return [
            self._by_resource[int(found)] for found in set(_RESOURCE.findall(text)) if int(found) in self._by_resource
        ]

    def _shown(self, number: int) -> Shown:
        resource, service = self.ids[number]
        today = self.clock.now().date()
        return shown(self.portal.slots(resource), self.reservations.slots(service), ZONE, today, split=False)
