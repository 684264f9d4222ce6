"""One soak, from its first edit to its verdict."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

from slotbridge.sandbox.server import running_sandbox
from tests.soak.business import Business
from tests.soak.calm import REST, calm, looked_over
from tests.soak.machine import Life, Machine, small_disk
from tests.soak.storm import Storm

PAIRS = 5
FLOORS: Mapping[str, float] = {
    "kills": 0.4,
    "stops": 0.1,
    "edits": 40,
    "edits that changed hours": 25,
    "edits followed to their end": 10,
    "events": 30,
    "commands": 3,
    "faults": 8,
    "kinds of faults": 0.8,
    "disk full": 0.1,
    "runs": 4,
    "requests": 40,
}
"""How often each has to happen in a minute, on average, for a soak to be worth its name."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happened, and what was wrong. `short` are the floors that were not reached."""

    counters: Counter[str]
    wrong: tuple[str, ...]
    short: Mapping[str, int]

    @property
    def well(self) -> bool:
        return not self.wrong and not self.short

    def table(self) -> Iterator[str]:
        """One line for each counter, then what was wrong."""
        for name in sorted({*self.counters, *self.short}):
            floor = f"  (not the {self.short[name]} that it takes)" if name in self.short else ""
            yield f"{self.counters[name]:9d}  {name}{floor}"
        yield from (f"WRONG: {what}" for what in self.wrong)


def soak(
    folder: Path, seed: int, minutes: float, *, gusts: float = 1.0, rest: float = REST, enduring: bool = True
) -> Verdict:
    """A storm of so many minutes and the calm after it, in a folder of its own.

    Not `enduring`, daemons are killed until the end, and the calm begins with a new one. What the last one takes is
    compared where it has lived long enough.
    """
    business = Business(PAIRS)
    with running_sandbox(business) as sandbox, small_disk(folder / "disk") as mounted:
        machine = Machine(sandbox, business, folder, folder / "disk")
        storm = Storm(
            machine, business, Random(seed), seconds=minutes * 60, full_disk=mounted and enduring, gusts=gusts
        )
        try:
            storm.blow(enduring=enduring)
            wrong = [*storm.complaints, *calm(storm, rest=rest)]
            wrong += looked_over(machine)
        finally:
            if machine.alive:
                machine.kill()
            (folder / "story.jsonl").write_text("".join(f"{json.dumps(told)}\n" for told in business.story))
            for file in machine.database.parent.glob(f"{machine.database.name}*"):
                shutil.copy(file, folder)
    counters = _counted(storm, minutes)
    floors = {name: int(floor * minutes) for name, floor in FLOORS.items() if mounted or name != "disk full"}
    short = {name: floor for name, floor in floors.items() if counters[name] < floor}
    return Verdict(counters, tuple(wrong), short)


def _counted(storm: Storm, minutes: float) -> Counter[str]:
    counters = storm.counters + storm.business.counters
    struck = {name: count for name, count in counters.items() if name.startswith("fault: ")}
    counters["faults"], counters["kinds of faults"] = sum(struck.values()), len(struck)
    for book in storm.business.books:
        counters["edits followed to their end"] += len(book.added.keys() - book.excused)
        counters["edits excused"] += len(book.added.keys() & book.excused)
    for life in storm.machine.lives:
        for entry in life.events:
            counters[f"event {entry['event']}"] += 1
            counters["runs"] = max(counters["runs"], entry.get("run", 0))  # those that a kill cut off have numbers, too
    counters |= _taken(storm.machine.life)
    return counters


def _taken(life: Life) -> Counter[str]:
    """What the last daemon took, early and late."""
    third = max(1, len(life.samples) // 3)
    taken: Counter[str] = Counter()
    if life.samples:
        for name, part in (("early", life.samples[:third]), ("late", life.samples[-third:])):
            taken[f"last daemon: kB of memory, {name}"] = round(median(sample.memory for sample in part))
            taken[f"last daemon: open files, {name}"] = round(median(sample.files for sample in part))
            taken[f"last daemon: threads, {name}"] = max(sample.threads for sample in part)
        taken["last daemon: seconds alive"] = round(life.samples[-1].at - life.begun)
        taken["last daemon: open files at the end"] = life.samples[-1].files
    return taken
