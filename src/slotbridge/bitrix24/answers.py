"""What an answer of the portal is: an envelope with a result, or one of our errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from slotbridge.bitrix24.access import Access
from slotbridge.bitrix24.codes import error_for, is_known
from slotbridge.bitrix24.commands import Command
from slotbridge.bitrix24.php import as_map
from slotbridge.errors import ApiError, BadAnswer, OutcomeUnknown
from slotbridge.http.redact import excerpt
from slotbridge.http.transport import Response
from slotbridge.secrecy import hide


class Judge:
    """Reads answers that came by one way in, whose secrets it keeps out of every message."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def envelope(self, answer: Response, command: Command) -> Mapping[str, object]:
        """The object with a `result` in it. Raises the ApiError that the answer stands for if it is none."""
        if 300 <= answer.status < 400:
            self._moved(answer, command)
        envelope = self._object(answer, command)
        code = envelope.get("error")
        if code is not None and (code != "" or "result" not in envelope):
            raise self.refusal(envelope, command, answer.status)
        if "result" not in envelope:
            raise self.not_understood("the answer has neither a result nor an error", command, answer.status)
        return envelope

    def batch(self, result: object, outer: Command) -> dict[str, dict[str, object]]:
        """The members of a batch's result, each by the keys of the commands. Raises ApiError if it has none."""
        members = as_map(result)
        results = as_map((members or {}).get("result"))
        errors = as_map((members or {}).get("result_error", []))
        if members is None or results is None or errors is None:
            raise self.not_understood("the answer is not that of a batch", outer)
        return {"result": results, "result_error": errors, "result_time": as_map(members.get("result_time")) or {}}

    def refusal(self, envelope: Mapping[str, object], command: Command, status: int | None = None) -> ApiError:
        """The error of an envelope that has one."""
        code = envelope.get("error")
        if not isinstance(code, (str, int)):
            return self.not_understood("the answer is an error without a code", command, status)
        return error_for(
            str(code) if is_known(str(code), command.method) else self._quoted(str(code)),
            self._quoted(str(envelope.get("error_description") or "")),
            item=command.item,
            write=command.write,
            status=status,
            method=command.method,
            words=self._access.words,
        )

    def not_understood(self, what: str, command: Command, status: int | None = None) -> ApiError:
        """An answer from which cannot be told what happened, which matters to writes."""
        passing = status is not None and (status == 429 or status >= 500)
        kind = OutcomeUnknown if command.write or passing else BadAnswer
        hint = f"If it stays so, open the portal in a browser, and check the host in {self._access.words.setting}"
        return kind(what, side="bitrix24", item=command.item, hint=hint, status=status)

    def _object(self, answer: Response, command: Command) -> dict[str, object]:
        text = answer.body.decode("utf-8", "replace")
        envelope = parsed(text)
        if not isinstance(envelope, dict):
            came = f"no JSON object, but {self._quoted(text)!r}" if text.strip() else "empty"
            raise self.not_understood(f"the answer is {came}", command, answer.status)
        return envelope

    def _moved(self, answer: Response, command: Command) -> NoReturn:
        what = f"the portal sends us on to {self._quoted(host_of(answer.headers.get('location', '')))}"
        hint = self._access.words.moved
        raise ApiError(what, side="bitrix24", item=command.item, hint=hint, status=answer.status)

    def _quoted(self, text: str) -> str:
        return excerpt(hide(text, self._access.secrets))


def time_of(answer: Response) -> object:
    """What an answer tells about time, a refusal as well."""
    return (as_map(parsed(answer.body.decode("utf-8", "replace"))) or {}).get("time")


def is_garbled(answer: Response) -> bool:
    """Whether a success is no JSON: empty, cut off, or a page of some proxy."""
    return 200 <= answer.status < 300 and parsed(answer.body.decode("utf-8", "replace")) is None


def host_of(address: str) -> str:
    """The host in an address, for messages."""
    try:
        return urlsplit(address).hostname or "another address"
    except ValueError:
        return "another address"


def parsed(text: str) -> object:
    """The JSON in the text; None, which is no envelope either, if there is none."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
