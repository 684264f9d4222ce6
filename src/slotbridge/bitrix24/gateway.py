"""Calls and batches: envelopes in, results or our errors out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from slotbridge.bitrix24.access import Access
from slotbridge.bitrix24.answers import Judge, is_garbled, time_of
from slotbridge.bitrix24.codes import EXPIRED, INVALID, OPERATING_TIME, RATE
from slotbridge.bitrix24.commands import Command
from slotbridge.bitrix24.operating import OperatingTime
from slotbridge.bitrix24.pending import Answer, Pending, about, held_back
from slotbridge.bitrix24.php import as_map, query
from slotbridge.clock import Clock
from slotbridge.errors import AccessRefused, ApiError, BadAnswer, LimitReached, OutcomeUnknown
from slotbridge.http.retry import LONGEST_WAIT_ASKED_FOR, asked_wait, may_repeat, pause, retried
from slotbridge.http.transport import Response, Transport

__all__ = ["BATCH_SIZE", "Command", "Gateway"]

BATCH_SIZE = 50
LONGEST_PENALTY = 60.0
ANSWERS_WITHIN = 75.0
"""Seconds until an answer is given up. The cloud works on a request for up to 60 (API documentation): what is given up
before that may be executed yet, over a later edit. The rest is for the connection, and for the way there and back."""
RENEWALS = 2
"""How often one call has its token renewed: the first new one may be another process's, and as old."""


class Gateway:
    """One portal, and one way into it."""

    def __init__(self, access: Access, transport: Transport, *, clock: Clock, random: Random) -> None:
        self._access = access
        self._judge = Judge(access)
        self._transport = transport
        self._clock = clock
        self._random = random
        self._operating = OperatingTime(clock)

    @property
    def requests(self) -> int:
        return self._transport.requests

    async def call(self, command: Command) -> object:
        """The result of one method. Reads are repeated after a passing failure, writes only if not executed.

        An answer that cannot be understood is a BadAnswer to a read, and an OutcomeUnknown to a write. A method whose
        operating time is used up, or nearly so if it writes, waits until it frees itself, or is a LimitReached without
        being sent.
        """
        if (wait := self._brake(command)) > 0:
            await self._clock.sleep(wait)
        envelope, _ = await self._asked(command)
        self._operating.note(command.method, envelope.get("time"))
        return envelope["result"]

    def require_room(self, commands: Iterable[Command]) -> None:
        """Raises LimitReached if one of these calls would not be sent: then none of them is to be begun."""
        for command in commands:
            self._brake(command)

    async def batch(self, commands: Sequence[Command], item: str) -> list[object | ApiError]:
        """The result or error of each of at most 50 commands, in their order. All are tried.

        Commands that were certainly not executed are sent again. Of the others only reads are, and once: those that
        the portal failed at, or left out. Raises what fails the batch as a whole. It is a write if one of its commands
        is one.
        """
        pending = Pending(commands, self._operating, self._clock)
        attempt = 0
        while part := await pending.next_round():
            attempt += 1
            try:
                answers = await self._round({index: commands[index] for index in part}, item, attempt)
            except ApiError as error:
                if not pending.failed(part, error):
                    raise
            else:
                pending.answered(answers)
        return pending.outcomes

    def _brake(self, command: Command) -> float:
        """The seconds to wait before a call. Raises LimitReached where they are too many."""
        wait = self._operating.brake(command.method, writing=command.write)
        if wait > LONGEST_WAIT_ASKED_FOR:
            refused = self._operating.brake(command.method, writing=False) > 0
            raise held_back(command, wait, refused=refused)
        return wait

    async def _round(self, commands: Mapping[int, Command], item: str, attempt: int) -> dict[int, Answer]:
        # Keys that are no numbers: PHP would answer a list for some outcomes and an object for others.
        lines = {f"c{index}": f"{command.method}?{query(command.parameters)}" for index, command in commands.items()}
        write = any(command.write for command in commands.values())
        outer = Command("batch", {"halt": 0, "cmd": lines}, item, write)
        envelope, used = await self._asked(outer)
        members = self._judge.batch(envelope["result"], outer)
        self._operating.note_last(
            (commands[index].method, members["result_time"].get(f"c{index}")) for index in reversed(list(commands))
        )
        outcomes = {index: self._outcome(f"c{index}", command, members) for index, command in commands.items()}
        renewed = await self._renewed_for(outcomes.values(), used)
        answers: dict[int, Answer] = {}
        for index, command in commands.items():
            answers[index] = self._answer(outcomes[index], command, renewed, attempt)
            lost = isinstance(outcomes[index], OutcomeUnknown) or _is_missing(f"c{index}", members)
            if attempt == 1 and not command.write and lost:
                answers[index] = Answer(outcomes[index], again_in=pause(None, attempt, self._random.random()))
        return answers

    def _outcome(self, key: str, command: Command, members: Mapping[str, Mapping[str, object]]) -> object | ApiError:
        if key in members["result_error"]:
            error = self._judge.refusal(as_map(members["result_error"][key]) or {}, command)
            return self._paced(error, command, None)
        if _is_missing(key, members):
            return self._judge.not_understood("the batch was answered without this command", command)
        return members["result"][key]

    async def _renewed_for(self, outcomes: Iterable[object], used: Mapping[str, str]) -> bool | ApiError:
        """Whether a batch's commands that were refused for the token have another one now, or why they have not.

        The error is a result, since the other commands may have been executed.
        """
        refused = next((outcome for outcome in outcomes if _needs_renewal(outcome)), None)
        try:
            return isinstance(refused, AccessRefused) and await self._renewed(refused, used)
        except ApiError as error:
            return error

    def _answer(self, outcome: object, command: Command, renewed: bool | ApiError, attempt: int) -> Answer:
        """The outcome of a command of a batch, and after how many seconds it may be sent again."""
        match outcome:
            case LimitReached() if may_repeat(outcome, repeatable=False):
                return Answer(outcome, pause(outcome, attempt, self._random.random()))
            case AccessRefused() if _needs_renewal(outcome) and isinstance(renewed, ApiError):
                return Answer(about(renewed, command))
            case AccessRefused() if _needs_renewal(outcome) and renewed:
                return Answer(outcome, 0.0)
        return Answer(outcome)

    async def _asked(
        self, command: Command, renewals: int = RENEWALS
    ) -> tuple[Mapping[str, object], Mapping[str, str]]:
        """The envelope of an answer, and the parameters of our way in that were used for it."""
        used = await self._access.parameters()
        try:
            return await self._repeated(command, used), used
        except AccessRefused as error:
            if not renewals or not await self._renewed(error, used):
                raise
        return await self._asked(command, renewals - 1)

    async def _repeated(self, command: Command, used: Mapping[str, str]) -> Mapping[str, object]:
        async def attempt() -> Mapping[str, object]:
            answer = await self._sent(command, used)
            try:
                return self._judged(answer, command)
            except BadAnswer:  # which an answer to a write never is
                if not is_garbled(answer):
                    raise
            await self._clock.sleep(pause(None, 1, self._random.random()))
            return self._judged(await self._sent(command, used), command)

        return await retried(attempt, clock=self._clock, repeatable=not command.write, random=self._random)

    def _judged(self, answer: Response, command: Command) -> Mapping[str, object]:
        try:
            return self._judge.envelope(answer, command)
        except LimitReached as error:
            raise self._paced(error, command, answer) from None

    async def _sent(self, command: Command, used: Mapping[str, str]) -> Response:
        url = f"{self._access.base}{command.method}"
        return await self._transport.send("POST", url, item=command.item, json={**command.parameters, **used})

    async def _renewed(self, error: AccessRefused, used: Mapping[str, str]) -> bool:
        expired = (error.code or "").upper() == EXPIRED
        return _needs_renewal(error) and await self._access.renew(used, expired=expired)

    def _paced(self, error: ApiError, command: Command, answer: Response | None) -> ApiError:
        """The error with the wait that it asks for; a full bucket slows everything down from now on."""
        if isinstance(error, LimitReached):
            code = (error.code or "").upper()
            asked = answer.headers.get("retry-after", "") if answer else ""
            error.retry_after = asked_wait(asked, self._clock.now())
            if code == RATE:
                self._slow_down(error.retry_after)
            elif code == OPERATING_TIME:
                self._operating.note(command.method, time_of(answer) if answer else None)
                error.retry_after = self._operating.refused(command.method, error.retry_after)
        return error

    def _slow_down(self, asked: float | None) -> None:
        if asked is None:
            self._transport.limiter.overflowed(pause(None, 1, 0.0))
        else:
            self._transport.limiter.penalize(min(asked, LONGEST_PENALTY))


def _is_missing(key: str, members: Mapping[str, Mapping[str, object]]) -> bool:
    """The portal skips a command that it cannot take in, without a word."""
    return key not in members["result"] and key not in members["result_error"]


def _needs_renewal(outcome: object) -> bool:
    # The API documentation: a 401 is not always an expired token, and whoever refreshes on any loops for ever.
    return isinstance(outcome, AccessRefused) and (outcome.code or "").upper() in (EXPIRED, INVALID)
