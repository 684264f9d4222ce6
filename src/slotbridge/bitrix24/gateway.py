"""Calls and batches by incoming webhook: envelopes in, results or our errors out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import NoReturn
from urllib.parse import urlsplit

from slotbridge.bitrix24.codes import OPERATING_TIME, RATE, error_for
from slotbridge.bitrix24.php import as_map, query
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, BadAnswer, LimitReached, OutcomeUnknown
from slotbridge.http.redact import MASK, excerpt
from slotbridge.http.retry import retried
from slotbridge.http.transport import Response, Transport

BATCH_SIZE = 50
LONGEST_PENALTY = 60.0


@dataclass(frozen=True, slots=True)
class Command:
    """One REST method with its parameters. `write` says that it changes something at the portal."""

    method: str
    parameters: Mapping[str, object]
    item: str
    write: bool = False


class Gateway:
    """One portal, addressed by its webhook, whose whole address is a secret."""

    def __init__(self, webhook_url: str, transport: Transport, *, clock: Clock, random: Random) -> None:
        self._base = webhook_url.rstrip("/")
        self._secret = re.compile(re.escape(self._base.rpartition("/")[2]) or "(?!)", re.IGNORECASE)
        self._transport = transport
        self._clock = clock
        self._random = random
        self._freed_at: dict[str, float] = {}

    @property
    def requests(self) -> int:
        return self._transport.requests

    async def call(self, command: Command) -> object:
        """The result of one method. Reads are repeated after a passing failure, writes only if not executed.

        An answer that cannot be understood is a BadAnswer to a read, and an OutcomeUnknown to a write.
        """

        async def attempt() -> object:
            url = f"{self._base}/{command.method}"
            answer = await self._transport.send("POST", url, item=command.item, json=dict(command.parameters))
            return self._result(answer, command)

        return await retried(attempt, clock=self._clock, repeatable=not command.write, random=self._random)

    async def batch(self, commands: Sequence[Command], item: str) -> list[object | ApiError]:
        """The result or error of each of at most 50 commands, in their order. All are tried.

        Raises what fails the batch as a whole. It is a write if one of its commands is one.
        """
        # Keys that are no numbers: PHP would answer a list for some outcomes and an object for others.
        keyed = {f"c{index}": command for index, command in enumerate(commands)}
        lines = {key: f"{command.method}?{query(command.parameters)}" for key, command in keyed.items()}
        write = any(command.write for command in commands)
        outer = Command("batch", {"halt": 0, "cmd": lines}, item, write)
        members = as_map(await self.call(outer))
        results = as_map((members or {}).get("result"))
        errors = as_map((members or {}).get("result_error", []))
        if members is None or results is None or errors is None:
            self._not_understood("the answer is not that of a batch", outer)
        for key, spent in (as_map(members.get("result_time")) or {}).items():
            self._note_operating_time(keyed.get(key), spent)
        return [self._outcome(key, command, results, errors) for key, command in keyed.items()]

    def _outcome(
        self, key: str, command: Command, results: Mapping[str, object], errors: Mapping[str, object]
    ) -> object | ApiError:
        try:
            if key in errors:
                self._refused(as_map(errors[key]) or {}, command)
            if key not in results:  # the portal skips a command that it cannot read, without a word
                self._not_understood("the batch was answered without this command", command)
        except ApiError as error:
            return error
        return results[key]

    def _result(self, answer: Response, command: Command) -> object:
        if 300 <= answer.status < 400:
            self._moved(answer, command)
        envelope = self._envelope(answer, command)
        code = envelope.get("error")
        if code is not None and (code != "" or "result" not in envelope):
            self._refused(envelope, command, answer)
        if "result" not in envelope:
            self._not_understood("the answer has neither a result nor an error", command, answer)
        self._note_operating_time(command, envelope.get("time"))
        return envelope["result"]

    def _envelope(self, answer: Response, command: Command) -> dict[str, object]:
        text = answer.body.decode("utf-8", "replace")
        envelope = _parsed(text)
        if not isinstance(envelope, dict):
            came = f"no JSON object, but {self._quoted(text)!r}" if text.strip() else "empty"
            self._not_understood(f"the answer is {came}", command, answer)
        return envelope

    def _refused(self, envelope: Mapping[str, object], command: Command, answer: Response | None = None) -> NoReturn:
        code = envelope.get("error")
        if not isinstance(code, (str, int)):
            self._not_understood("the answer is an error without a code", command, answer)
        description = self._quoted(str(envelope.get("error_description") or ""))
        error = error_for(
            self._quoted(str(code)),
            description,
            item=command.item,
            write=command.write,
            status=answer.status if answer else None,
        )
        if isinstance(error, LimitReached):
            self._pace(error, command, answer)
        raise error

    def _pace(self, error: LimitReached, command: Command, answer: Response | None) -> None:
        asked = answer.headers.get("retry-after", "") if answer else ""
        error.retry_after = float(asked) if asked.isdecimal() else None
        if error.code == RATE:
            self._transport.limiter.penalize(min(error.retry_after or 1.0, LONGEST_PENALTY))
        elif error.code == OPERATING_TIME and error.retry_after is None:
            left = self._freed_at.get(command.method, 0.0) - self._clock.now().timestamp()
            error.retry_after = left if left > 0 else None

    def _note_operating_time(self, command: Command | None, spent: object) -> None:
        # Only successful calls tell when a method's oldest bucket of operating time empties.
        freed_at = spent.get("operating_reset_at") if isinstance(spent, dict) else None
        if command and isinstance(freed_at, (int, float)):
            self._freed_at[command.method] = freed_at

    def _not_understood(self, what: str, command: Command, answer: Response | None = None) -> NoReturn:
        status = answer.status if answer else None
        passing = status is not None and (status == 429 or status >= 500)
        kind = OutcomeUnknown if command.write or passing else BadAnswer
        hint = "If it stays so, open the portal in a browser, and check the host in bitrix24.webhook_url"
        raise kind(what, side="bitrix24", item=command.item, hint=hint, status=status)

    def _moved(self, answer: Response, command: Command) -> NoReturn:
        host = urlsplit(answer.headers.get("location", "")).hostname or "another address"
        hint = "If the portal was renamed, write its new address into bitrix24.webhook_url"
        what = f"the portal sends us on to {self._quoted(host)}"
        raise ApiError(what, side="bitrix24", item=command.item, hint=hint, status=answer.status)

    def _quoted(self, text: str) -> str:
        return excerpt(self._secret.sub(MASK, text))


def _parsed(text: str) -> object:
    """The JSON in the text; None, which is no envelope either, if there is none."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
