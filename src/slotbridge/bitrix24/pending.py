"""The commands of one batch that still wait for their outcome, and when each may be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from slotbridge.bitrix24.codes import OPERATING_TIME, error_for
from slotbridge.bitrix24.commands import Command, to_repeat, with_company
from slotbridge.bitrix24.operating import OperatingTime
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, LimitReached
from slotbridge.http.retry import LONGEST_WAIT_ASKED_FOR

ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What a round brought for one command. `again_in` is in seconds: None if it shall not be sent again."""

    outcome: object | ApiError
    again_in: float | None = None


TOGETHER = 1.0
"""Seconds within which what is due goes together: each command's wait is reckoned from a moment of its own."""


class Pending:
    """Which commands go into the next round, and what became of those that went.

    A round is one request. Commands that have to wait longer than others go into a later one.
    """

    def __init__(self, commands: Sequence[Command], operating: OperatingTime, clock: Clock) -> None:
        self._commands = commands
        self._written = {command.item for command in commands if command.write}
        self._operating = operating
        self._clock = clock
        self._outcomes: dict[int, object | ApiError] = {}
        self._sent: Counter[int] = Counter()
        self._due: dict[int, float] = {}
        self._put_off(range(len(commands)), {})

    @property
    def outcomes(self) -> list[object | ApiError]:
        """In the order of the commands, once no round is left."""
        return [self._outcomes[index] for index in range(len(self._commands))]

    async def next_round(self) -> list[int]:
        """The numbers of the commands to send now, after waiting for the first of them; none when all is done.

        Those that are due within a second wait for each other: a request is dearer.
        """
        if not self._due:
            return []
        soonest = min(self._due.values())
        due = sorted(index for index, at in self._due.items() if at <= soonest + TOGETHER)
        if (wait := max(self._due[index] for index in due) - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait)
        for index in due:
            del self._due[index]
        self._sent.update(due)
        return due

    def answered(self, answers: Mapping[int, Answer]) -> None:
        """Notes a round, and sends again what may be: no more than four times, and nothing that was executed."""
        self._outcomes |= {index: answer.outcome for index, answer in answers.items()}
        waits = {
            index: answer.again_in
            for index, answer in answers.items()
            if answer.again_in is not None and self._sent[index] < ATTEMPTS
        }
        limited = {index for index, answer in answers.items() if isinstance(answer.outcome, LimitReached)}
        if not waits and not limited:
            return
        stuck = with_company(self._commands, limited - waits.keys())
        self._put_off(to_repeat(self._commands, answers, waits.keys()) - stuck, waits)

    def failed(self, part: Iterable[int], error: ApiError) -> bool:
        """Gives the error to each command of a round that failed as a whole; False if there was none before it."""
        first = not self._outcomes.keys() & self._sent.keys()
        self._outcomes |= {index: about(error, self._commands[index]) for index in part}
        return not first

    def _put_off(self, indices: Iterable[int], waits: Mapping[int, float]) -> None:
        """Lets the commands wait as long as each has to; what is about one written thing waits for the slowest."""
        delays = {index: max(waits.get(index, 0.0), self._brake(index)) for index in indices}
        too_long = {index for index, wait in delays.items() if wait > LONGEST_WAIT_ASKED_FOR}
        held = with_company(self._commands, too_long) & delays.keys()
        for index in held:
            slowest = index if index in too_long else max(too_long, key=delays.__getitem__)
            refused = self._operating.brake(self._commands[slowest].method, writing=False) > 0
            self._outcomes.setdefault(index, held_back(self._commands[index], delays[slowest], refused=refused))
        now, written = self._clock.monotonic(), self._written
        for index in delays.keys() - held:
            item = self._commands[index].item
            together = [other for other in delays if self._commands[other].item == item] if item in written else [index]
            self._due[index] = now + max(delays[other] for other in together)

    def _brake(self, index: int) -> float:
        command = self._commands[index]
        return self._operating.brake(command.method, writing=command.item in self._written)


def held_back(command: Command, seconds: float, *, refused: bool) -> LimitReached:
    """The error of a command that is not sent: its method, or one that goes with it, is `refused`, or might soon be."""
    error = error_for(OPERATING_TIME, "not sent", item=command.item, write=command.write, method=command.method)
    near = "not sent: a write needs a method whose operating time is nearly used up, and could be refused half-way"
    what = error.what if refused else near
    limit = LimitReached(what, side=error.side, item=error.item, hint=error.hint, code=error.code)
    limit.retry_after = seconds
    return limit


def about(error: ApiError, command: Command) -> ApiError:
    """The same error, as a matter of one command."""
    twin = copy(error)
    twin.item = command.item
    return twin
