"""`history`: what was changed on either side and why; and the way back to before a run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.pairs import chosen
from slotbridge.cli.render.fields import is_fields
from slotbridge.cli.render.history import History, history_json, history_lines, undo_lines
from slotbridge.cli.sync import Request, connected, memory, remembered
from slotbridge.errors import ConfigurationError
from slotbridge.settings import Settings
from slotbridge.store import ChangeRecord, RunRecord, Store
from slotbridge.sync.report import RunReport


@dataclass(frozen=True, slots=True)
class Question:
    """What to look back on: one run, some pairs, or everything; so many changes at most."""

    run: int | None
    names: tuple[str, ...]
    limit: int

    @classmethod
    def of(cls, what: str | None, names: Sequence[str], limit: int) -> Question:
        """`what` is the number of a run or the name of a pair."""
        if what is not None and what.isdecimal():
            return cls(int(what), tuple(names), limit)
        return cls(None, tuple(dict.fromkeys([what, *names] if what is not None else names)), limit)


def show_history(invocation: Invocation, question: Question) -> int:
    """Lists changes, the newest run first. Raises ConfigurationError for a run or a pair that is unknown."""
    settings = invocation.settings()
    found = asyncio.run(_history(invocation, settings, question))
    if invocation.as_json:
        invocation.emit(history_json(found))
    else:
        invocation.say(history_lines(found, invocation.clock.now(), settings.reservekit.day_zero))
    return 0


async def _history(invocation: Invocation, settings: Settings, question: Question) -> History:
    async with remembered(invocation, settings) as store:
        _check_names(settings, store, question.names)
        if question.run is not None:
            _check_run(store, question.run)
        if store is None:
            return History((), {})
        changes = _changes(store, question)
        oldest = min((change.run for change in changes), default=question.run)
        runs = _runs_since(store, oldest) if oldest is not None else {}
        shown = tuple(changes[: question.limit])
        return History(shown, runs, asked=question.run, more=len(changes) > len(shown))


def _check_names(settings: Settings, store: Store | None, names: Sequence[str]) -> None:
    """A pair that is configured no more still has its past."""
    configured = {pair.name for pair in settings.pairs}
    unheard_of = [name for name in names if name not in configured and not (store and store.history(name, limit=1))]
    if unheard_of:
        chosen(settings, unheard_of)


def _changes(store: Store, question: Question) -> list[ChangeRecord]:
    """One more than wanted, if there are more, the newest first."""
    wanted = [store.history(name, question.run, question.limit + 1) for name in question.names or (None,)]
    return sorted((change for found in wanted for change in found), key=lambda change: change.id, reverse=True)


def _runs_since(store: Store, oldest: int) -> dict[int, RunRecord]:
    newest = max((run.id for run in store.runs(1)), default=0)
    return {run.id: run for run in store.runs(max(0, newest - oldest + 1)) if run.id >= oldest}


def _check_run(store: Store | None, number: int) -> None:
    last = max((run.id for run in store.runs(1)), default=0) if store else 0
    if store is None or not last:
        raise ConfigurationError(f"there is no run {number}", hint="Nothing has run yet")
    if number not in _runs_since(store, number):
        raise ConfigurationError(f"there is no run {number}", hint=f"The last one is run {last}")


def undo_run(invocation: Invocation, question: Question, request: Request) -> int:
    """Plans the way back to before a run, or goes it; returns the exit code as `sync` does.

    Raises SlotbridgeError for a pair that had no base before that run, and for whatever fails a run as a whole.
    """
    run = question.run
    if run is None:
        counsel = invocation.counsel()
        hint = f"`{counsel.call('history')}` lists the runs; then: {counsel.call('history RUN --undo')}"
        raise ConfigurationError("--undo needs the number of a run", hint=hint)
    settings = invocation.settings()
    report, done = asyncio.run(_undo(invocation, settings, run, request))
    if invocation.as_json:
        invocation.emit(report.as_json())
    else:
        day_zero = settings.reservekit.day_zero
        invocation.say(undo_lines(report, run, request.names, day_zero, invocation.counsel(settings), done))
    return report.exit_code()


async def _undo(
    invocation: Invocation, settings: Settings, run: int, request: Request
) -> tuple[RunReport, list[ChangeRecord]]:
    done = await _done_by(invocation, settings, run, request.names)
    changed = {change.pair for change in done if not is_fields(change.after)}
    wanted = chosen(settings, request.names) if request.names else settings.pairs
    pairs = [pair for pair in wanted if request.names or pair.name in changed]
    if not pairs:
        return RunReport(request.dry_run, (), {}), done
    async with (
        memory(invocation, settings, request, f"history {run} --undo") as store,
        connected(invocation, settings, store) as bridge,
    ):
        how = {"apply": not request.dry_run, "accept_deletes": request.accept_deletes}
        return await bridge.undo(run, pairs, **how), done


async def _done_by(invocation: Invocation, settings: Settings, run: int, names: Sequence[str]) -> list[ChangeRecord]:
    """What a run changed in the pairs of these names; without any, in all that are configured."""
    async with remembered(invocation, settings) as store:
        _check_run(store, run)
        changes = store.history(run=run, limit=sys.maxsize) if store else []
    known = names or [pair.name for pair in settings.pairs]
    return [change for change in changes if change.kind == "applied" and change.pair in known]
