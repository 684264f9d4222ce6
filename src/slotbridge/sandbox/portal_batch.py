"""`batch`: up to 50 commands in one request, run one after the other, not in a transaction."""

from __future__ import annotations

from collections.abc import Callable

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Params, Refusal
from slotbridge.sandbox.portal_methods import Result, perform
from slotbridge.sandbox.portal_state import PortalState

_LIMIT = 50


def run_batch(state: PortalState, params: Params, time: Callable[[], dict[str, object]]) -> object:
    """The five members of a batch's result. A failed command does not fail the batch.

    A command that is no text, or names no method, vanishes without a word.
    """
    results: dict[str, object] = {}
    errors: dict[str, object] = {}
    totals: dict[str, object] = {}
    times: dict[str, object] = {}
    halt = php.truthy(params.get("halt"))
    commands = {key: cmd for key, cmd in php.items(params.get("cmd")).items() if _is_command(cmd)}
    for count, (key, command) in enumerate(commands.items(), start=1):
        try:
            done = _run(state, str(command), count)
        except Refusal as refusal:
            errors[key] = _entry(state, refusal)
            if halt:
                break
        else:
            results[key], times[key] = done.value, time()
            totals |= {} if done.total is None else {key: done.total}
    members = {"result": results, "result_error": errors, "result_total": totals}
    return {**members, "result_next": {}, "result_time": times}


def _is_command(command: object) -> bool:
    return isinstance(command, str) and bool(_method(command))


def _method(command: str) -> str:
    return command.partition("#")[0].partition("?")[0].strip()


def _run(state: PortalState, command: str, count: int) -> Result:
    if count > _LIMIT:
        raise Refusal("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
    name = _method(command)
    if name.lower() == "batch":
        raise Refusal("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
    query = command.partition("#")[0].partition("?")[2]
    return perform(state, name, php.parse_query(query, state.behaviour.max_input_vars))


def _entry(state: PortalState, refusal: Refusal) -> dict[str, object]:
    body = refusal.body(number=state.behaviour.error_code == "number")
    if refusal.code == "insufficient_scope":
        body["error_description"] = ""  # the source leaves it out inside a batch
    return body
