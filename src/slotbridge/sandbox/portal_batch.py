"""`batch`: up to 50 commands in one request, run one after the other, not in a transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Caller, Params, Refusal, Result
from slotbridge.sandbox.portal_methods import perform
from slotbridge.sandbox.portal_references import resolved
from slotbridge.sandbox.portal_state import PortalState

_LIMIT = 50

Time = Callable[[str], dict[str, object]]


@dataclass(frozen=True, slots=True)
class _Members:
    """What the commands so far came to, under their keys."""

    result: dict[str, object] = field(default_factory=dict)
    error: dict[str, object] = field(default_factory=dict)
    total: dict[str, object] = field(default_factory=dict)
    next: dict[str, object] = field(default_factory=dict)
    time: dict[str, object] = field(default_factory=dict)

    def add(self, key: str, done: Result, time: dict[str, object]) -> None:
        self.result[key], self.time[key] = done.value, time
        if done.total is not None:
            self.total[key] = done.total
        if done.next is not None:
            self.next[key] = done.next

    def roots(self) -> dict[str, object]:
        """What references begin with."""
        return {
            "result": self.result,
            "error": self.error,
            "total": self.total,
            "next": self.next,
            "time": self.time,
        }

    def shown(self) -> dict[str, object]:
        return {name if name == "result" else f"result_{name}": value for name, value in self.roots().items()}


def run_batch(state: PortalState, params: Params, caller: Caller, time: Time) -> object:
    """The five members of a batch's result; `time` tells what a method took. A failed command does not fail the batch.

    A command that is no text, or names no method, vanishes without a word.
    """
    members = _Members()
    commands = {key: str(cmd) for key, cmd in php.items(params.get("cmd")).items() if _is_command(cmd)}
    skipped, fails_from = _spoiled(state, len(commands))
    for count, (key, command) in enumerate(commands.items()):
        if count in skipped:
            continue
        try:
            if fails_from is not None and count >= fails_from:
                raise Refusal(state.behaviour.batch_fails_with, "The command was refused")
            done = _run(state, command, count, caller, members)
        except Refusal as refusal:
            members.error[key] = _entry(state, refusal)
            if php.truthy(params.get("halt")):
                break
        else:
            members.add(key, done, time(_method(command)))
    return members.shown()


def _spoiled(state: PortalState, count: int) -> tuple[tuple[int, ...], int | None]:
    """The switches that make commands vanish or fail, which are then off again. Too short a batch leaves them on."""
    skips, fails_from = state.behaviour.batch_skips, state.behaviour.batch_fails_from
    skipped = skips if any(index < count for index in skips) else ()
    failing = fails_from if fails_from is not None and fails_from < count else None
    if skipped:
        state.behaviour = replace(state.behaviour, batch_skips=())
    if failing is not None:
        state.behaviour = replace(state.behaviour, batch_fails_from=None)
    return skipped, failing


def _is_command(command: object) -> bool:
    return isinstance(command, str) and bool(_method(command))


def _method(command: str) -> str:
    return command.partition("#")[0].partition("?")[0].strip()


def _run(state: PortalState, command: str, count: int, caller: Caller, members: _Members) -> Result:
    if count >= _LIMIT:
        raise Refusal("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
    name = _method(command)
    if name.lower() == "batch":
        raise Refusal("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
    query = command.partition("#")[0].partition("?")[2]
    params = php.parse_query(query, state.behaviour.max_input_vars)
    roots = members.roots()
    return perform(state, name, {key: resolved(value, roots) for key, value in params.items()}, caller)


def _entry(state: PortalState, refusal: Refusal) -> dict[str, object]:
    body = refusal.body(number=state.behaviour.error_code == "number")
    if refusal.code == "insufficient_scope":
        body["error_description"] = ""  # the source leaves it out inside a batch
    return body
