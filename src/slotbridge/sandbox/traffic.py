"""The road to a model: a log of requests, hooks before each of them, and faults on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from slotbridge.errors import Side
from slotbridge.sandbox.wire import Answer, Call

FaultKind = Literal[
    "drop-before",  # the connection is closed, nothing was executed
    "drop-after",  # executed, then the connection is closed without an answer
    "late",  # the connection is closed; executed `after` requests later
    "slow",  # executed, answered after `seconds`
    "cut",  # executed, but the body breaks off in the middle
    "malformed",  # half a JSON document with a matching length
    "html",  # an HTML page with status 200
    "bad-gateway",  # an HTML page with status 502
    "empty",  # status 200 without a body
    "stale",  # a read is answered as the same request was answered last time
    "answer",  # `status` and `body` as given
]

_HTML = b"<!DOCTYPE html><html><title>Please wait</title><body><h1>Please wait</h1></body></html>"
_DROPPED = Answer(0, {}, b"", dropped=True)

Execute = Callable[[Call], Answer]


@dataclass(slots=True)
class Fault:
    """What shall go wrong with the next `times` requests that contain `match`, once `skip` of them went well.

    `match` is looked for in `METHOD /path?query body`, so `"slots.set"` finds a batch that has one, too; the
    empty text finds every request. `api` limits it to one side. `executed` says for the kinds that replace
    the answer whether the request takes effect all the same.
    """

    match: str
    kind: FaultKind
    times: int = 1
    skip: int = 0
    api: Side | None = None
    seconds: float = 1.0
    after: int = 1
    executed: bool = False
    status: int = 500
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def fits(self, call: Call) -> bool:
        return self.times > 0 and self.api in (None, call.api) and self.match in call.text

    def is_due(self) -> bool:
        """Counts one fitting request: False while there are some to be skipped."""
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True, slots=True)
class Logged:
    """One request in the log."""

    api: Side
    method: str
    path: str
    write: bool


@dataclass(slots=True)
class _Late:
    wait: int
    execute: Callable[[], Answer]


class Traffic:
    """Everything that passes between a client and the two models."""

    def __init__(self) -> None:
        self.log: list[Logged] = []
        self.faults: list[Fault] = []
        self.before: list[Callable[[Call], None]] = []
        self._late: list[_Late] = []
        self._last: dict[tuple[str, str], Answer] = {}

    def handle(self, call: Call, execute: Execute) -> Answer:
        """Lets one request through, or lets happen to it what the next fitting fault says."""
        for hook in tuple(self.before):
            hook(call)
        self._land(1)
        self.log.append(Logged(call.api, call.method, call.path, call.write))
        fault = self._next_fault(call)
        if fault is not None:
            return self._spoil(fault, call, execute)
        answer = execute(call)
        if not call.write:
            self._last[(call.api, call.text)] = answer
        return answer

    def settle(self) -> None:
        """Executes every late request that is still under way."""
        self._land(max((late.wait for late in self._late), default=0))

    def _land(self, steps: int) -> None:
        for late in tuple(self._late):
            late.wait -= steps
            if late.wait <= 0:
                self._late.remove(late)
                late.execute()

    def _next_fault(self, call: Call) -> Fault | None:
        for fault in tuple(self.faults):
            if fault.fits(call) and fault.is_due():
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def _spoil(self, fault: Fault, call: Call, execute: Execute) -> Answer:
        match fault.kind:
            case "drop-before":
                return _DROPPED
            case "late":
                self._late.append(_Late(fault.after, lambda: execute(call)))
                return _DROPPED
            case "drop-after":
                execute(call)
                return _DROPPED
            case "slow":
                return replace(execute(call), delay=fault.seconds)
            case "cut":
                return _cut(execute(call))
            case "stale":
                return self._last.get((call.api, call.text)) or execute(call)
            case _:
                if fault.executed:
                    execute(call)
                return _replacement(fault)


def _cut(answer: Answer) -> Answer:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    return replace(answer, headers=headers, body=answer.body[: len(answer.body) // 2], cut=True)


def _replacement(fault: Fault) -> Answer:
    html = {"content-type": "text/html; charset=utf-8"}
    json = {"content-type": "application/json"}
    match fault.kind:
        case "html":
            return Answer(200, html, _HTML)
        case "bad-gateway":
            return Answer(502, html, _HTML)
        case "empty":
            return Answer(200, json, b"")
        case "malformed":
            return Answer(200, json, b'{"result": [{"id": 1')
        case _:
            return Answer(fault.status, {**json, **fault.headers}, fault.body.encode())
