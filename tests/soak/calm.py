"""The calm after the storm: what has to be true at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from slotbridge.sandbox.world import RESERVEKIT_KEY, WEBHOOK_PATH
from tests.soak.business import Business
from tests.soak.machine import DRAIN, TOKEN, Life, Machine, Sample
from tests.soak.storm import Storm

PATIENCE = 240.0
"""Seconds within which everything is in step: a side that was down may be asked as late as that."""

REST = 25.0
"""Seconds in which nothing is written once everything is in step: more than the longest interval."""

WARM_UP = 20.0
GROWTH = 6 * 1024
"""Kilobytes by which a daemon may grow between the first and the last third of its life."""

MORE_FILES = 6
"""Files that a daemon may have open at rest beyond those after its start: connections are kept for a while."""


def calm(storm: Storm, *, rest: float = REST) -> Iterator[str]:
    """Lets everything come to rest; yields what is wrong."""
    machine, business = storm.machine, storm.business
    storm.counters["seconds to converge"] = _waited(storm, lambda: _settled(storm), PATIENCE)
    yield from _judged(storm, "when the storm was over")
    until = time.monotonic() + PATIENCE
    while machine.held and time.monotonic() < until:
        for hold in storm.open_holds():
            storm.decide(hold)
        _waited(storm, lambda: not machine.held, 30)
    _waited(storm, lambda: all(book.in_step for book in business.observe()), PATIENCE)
    yield from _judged(storm, "when all holds were decided")
    if machine.held:
        yield f"still held: {machine.held}"
    wrote = _writes(business)
    _waited(storm, lambda: False, rest)
    if (more := _writes(business) - wrote) > 0:
        yield f"{more} writes although everything was in step"
    done = machine.command("verify")
    if done.returncode != 0:
        yield f"`verify` ended with {done.returncode}: {done.stdout}"
    machine.stop()
    if machine.life.process.returncode != 0:
        yield f"SIGTERM at rest ended with {machine.life.process.returncode}"


def looked_over(machine: Machine) -> Iterator[str]:
    """What the processes and their logs tell; yields what is wrong."""
    for life in machine.lives:
        if life.stopped_in is not None and life.stopped_in > DRAIN + 2:
            yield f"SIGTERM took {life.stopped_in:.1f} seconds: {life.log.name}"
        yield from _read(life)
    yield from grown(machine.life.samples)
    if any(secret in machine.database.read_bytes() for secret in map(str.encode, _secrets())):
        yield "the database has a secret in it"


def grown(samples: Sequence[Sample]) -> Iterator[str]:
    """Whether a process takes more and more; `samples` are in the order of time."""
    warm = [sample for sample in samples if sample.at - samples[0].at > WARM_UP]
    third = len(warm) // 3
    if third == 0:
        return
    early, late = warm[:third], warm[-third:]
    memory = [median(sample.memory for sample in part) for part in (early, late)]
    if memory[1] - memory[0] > GROWTH:
        yield f"memory grew from {memory[0]:.0f} to {memory[1]:.0f} kB"
    if min(s.files for s in late) > min(s.files for s in early) + MORE_FILES:
        yield f"open files grew from {min(s.files for s in early)} to {min(s.files for s in late)}"
    if max(s.threads for s in late) > max(s.threads for s in early):
        yield f"threads grew from {max(s.threads for s in early)} to {max(s.threads for s in late)}"


def _settled(storm: Storm) -> bool:
    """Whether every pair is in step or held, as both sides and the daemon tell."""
    held = storm.machine.held
    return held is not None and all(book.in_step or book.name in held for book in storm.business.observe())


def _judged(storm: Storm, when: str) -> Iterator[str]:
    held = storm.machine.held
    if held is None:
        yield f"{when}: /metrics does not answer"
        return
    for book in storm.business.observe():
        settled, ours, theirs = book.name not in held, book.now.in_bitrix24, book.now.in_reservekit
        if settled and ours != theirs:
            yield f"{when}, {book.name}: only in Bitrix24 {ours - theirs}, only in ReserveKit {theirs - ours}"
        if settled and book.doubled():
            yield f"{when}, {book.name}: doubled {book.doubled()}"
        if book.invented():
            yield f"{when}, {book.name}: nobody ever put {book.invented()}"
        if lost := list(book.lost(settled=settled)):
            yield f"{when}, {book.name}: lost {lost}"


def _waited(storm: Storm, condition: Callable[[], bool], most: float) -> int:
    """Waits until the condition holds; the seconds that it took."""
    begun = time.monotonic()
    while not condition() and time.monotonic() - begun < most:
        storm.machine.life.sample()
        time.sleep(0.5)
    return round(time.monotonic() - begun)


def _writes(business: Business) -> int:
    return sum(logged.write for logged in tuple(business.log))


def _secrets() -> tuple[str, ...]:
    return (RESERVEKIT_KEY, WEBHOOK_PATH.strip("/"), TOKEN)


def _read(life: Life) -> Iterator[str]:
    """What a log says that it should not say."""
    text = life.log.read_text(errors="replace")
    yield from (f"a secret in {life.log.name}: {secret[:4]}…" for secret in _secrets() if secret in text)
    if "Traceback" in text:
        yield f"a traceback in {life.log.name}"
    for entry in life.events:
        if entry["event"] in ("run.bug", "pair.bug", "ticks.stopped") or "exception" in entry:
            yield f"{entry['event']} in {life.log.name}"
        if "could not be written" in entry["event"]:
            yield f"a log record was lost in {life.log.name}"
