"""A Bitrix24 portal that answers requests, without any network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_batch import run_batch
from slotbridge.sandbox.portal_binding import Params, Refusal
from slotbridge.sandbox.portal_methods import Result, exists, perform
from slotbridge.sandbox.portal_state import PortalState
from slotbridge.sandbox.wire import Answer, Call, lower_names

_PATH = re.compile(r"/rest/(?:(\d+)/([^/]+)/)?([^/]+?)(?:\.json)?/?", re.IGNORECASE)
_HEADERS = {"content-type": "application/json; charset=utf-8"}


class Portal(PortalState):
    """One portal with one incoming webhook, `/rest/1/{code}/`."""

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answers one request, after the hooks and with the faults that `traffic` holds for it."""
        call = Call("bitrix24", method, path, query, lower_names(headers), body)
        return self.traffic.handle(call, self._answer)

    def _answer(self, call: Call) -> Answer:
        started = self.clock.now()
        try:
            result = self._perform(call, started)
        except Refusal as refusal:
            number = self.behaviour.error_code == "number"
            return Answer(refusal.status, _HEADERS, php.encode(refusal.body(number=number)))
        envelope: dict[str, object] = {"result": result.value}
        if result.total is not None:
            envelope["total"] = result.total
        return Answer(200, _HEADERS, php.encode({**envelope, "time": self._time(started)}))

    def _perform(self, call: Call, started: datetime) -> Result:
        self._admit()
        if call.method not in ("GET", "POST"):
            raise Refusal("invalid_http_method", "Invalid HTTP method")
        found = _PATH.fullmatch(call.path)
        user, code, name = found.groups() if found else (None, None, "")
        if name.lower() != "batch" and not exists(self, name):
            raise Refusal("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
        self._authenticate(user, code)
        params = self._params(call)
        if name.lower() == "batch":
            return Result(run_batch(self, params, lambda: self._time(started)))
        return perform(self, name, params)

    def _admit(self) -> None:
        self.bucket.rate, self.bucket.size = self.behaviour.rate, self.behaviour.burst
        if self.behaviour.limiter and not self.bucket.admit():
            raise Refusal("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)

    def _authenticate(self, user: str | None, code: str | None) -> None:
        if code is None:
            raise Refusal("NO_AUTH_FOUND", "Wrong authorization data", 401)
        if (user, code) != ("1", self.code):
            raise Refusal("INVALID_CREDENTIALS", "Invalid request credentials", 401)

    def _params(self, call: Call) -> Params:
        limit = self.behaviour.max_input_vars
        kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind == "application/json" or kind.endswith("+json")
        text = call.body.decode(errors="replace")
        given = _json_params(text) if is_json else php.parse_query(text, limit)
        return {**php.parse_query(call.query, limit), **given}

    def _time(self, started: datetime) -> dict[str, object]:
        finished = self.clock.now()
        exact = self.behaviour.time_start == "float"
        begin, end = started.timestamp(), finished.timestamp()
        time: dict[str, object] = {
            "start": begin if exact else int(begin),
            "finish": end if exact else int(end),
            "duration": end - begin,
            "processing": end - begin,
            "date_start": started.isoformat(timespec="seconds"),
            "date_finish": finished.isoformat(timespec="seconds"),
        }
        if self.behaviour.operating:
            time |= {"operating_reset_at": int(begin) + 600, "operating": 0}
        return time


def _json_params(body: str) -> dict[str, object]:
    """Malformed JSON is no error: the parameters are simply not there."""
    try:
        return php.items(json.loads(body))
    except ValueError:
        return {}
