"""A Bitrix24 portal that answers requests, without any network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_batch import run_batch
from slotbridge.sandbox.portal_binding import Caller, Params, Refusal, Result
from slotbridge.sandbox.portal_methods import exists, perform
from slotbridge.sandbox.portal_oauth import oauth_answer
from slotbridge.sandbox.portal_state import PortalState
from slotbridge.sandbox.wire import Answer, Call, lower_names

_PATH = re.compile(r"/rest/(?:(\d+)/([^/]+)/)?([^/]+?)(?:\.json)?/?", re.IGNORECASE)
_HEADERS = {"content-type": "application/json; charset=utf-8"}

Key = tuple[Caller, str]  # operating time is counted for each caller and method


class Portal(PortalState):
    """One portal with one incoming webhook, `/rest/1/{code}/`, and one application."""

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answers one request, after the hooks and with the faults that `traffic` holds for it."""
        call = Call("bitrix24", method, path, query, lower_names(headers), body)
        self.host = call.headers.get("host", self.host)
        return self.traffic.handle(call, self._answer)

    def _answer(self, call: Call) -> Answer:
        if call.path.lower().startswith("/oauth/"):
            return oauth_answer(self, call)
        started = self.clock.now()
        try:
            result, key = self._perform(call, started)
        except Refusal as refusal:
            number = self.behaviour.error_code == "number"
            return Answer(refusal.status, _HEADERS, php.encode(refusal.body(number=number)))
        numbers = {"next": result.next, "total": result.total}
        beside = {name: value for name, value in numbers.items() if value is not None}
        return Answer(200, _HEADERS, php.encode({"result": result.value, **beside, "time": self._time(started, key)}))

    def _perform(self, call: Call, started: datetime) -> tuple[Result, Key]:
        self._admit()
        if call.method not in ("GET", "POST"):
            raise Refusal("invalid_http_method", "Invalid HTTP method")
        found = _PATH.fullmatch(call.path)
        user, code, name = found.groups() if found else (None, None, "")
        key = name.lower()
        if key != "batch" and not exists(self, name):
            raise Refusal("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
        params = self._params(call)
        caller = self._webhook(user, code) if code is not None else self._bearer(call, params)
        if key == "batch":
            value = run_batch(self, params, caller, lambda each: self._time(started, (caller, each.lower())))
            return Result(value), (caller, key)
        return perform(self, name, params, caller), (caller, key)

    def _admit(self) -> None:
        if self.behaviour.overloaded:
            raise Refusal("OVERLOAD_LIMIT", "REST API is blocked due to overload.", 503)
        if self.behaviour.limiter and not self.sized_bucket().admit():
            raise Refusal("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)

    def _webhook(self, user: str | None, code: str) -> Caller:
        if (user, code) != ("1", self.code):
            raise Refusal("INVALID_CREDENTIALS", "Invalid request credentials", 401)
        return "webhook"

    def _bearer(self, call: Call, params: Params) -> Caller:
        scheme, _, bearer = call.headers.get("authorization", "").partition(" ")
        token = php.to_text(params.get("auth") or params.get("access_token"))
        token = token or (bearer.strip() if scheme.lower() == "bearer" else "")
        if not token:
            raise Refusal("NO_AUTH_FOUND", "Wrong authorization data", 401)
        if not self.application.knows(token):
            raise Refusal("invalid_token", "Unable to get application by token", 401)
        if self.application.is_expired(token):
            raise Refusal("expired_token", "The access token provided has expired.", 401)
        return "application"

    def _params(self, call: Call) -> Params:
        limit = self.behaviour.max_input_vars
        kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind == "application/json" or kind.endswith("+json")
        text = call.body.decode(errors="replace")
        given = _json_params(text) if is_json else php.parse_query(text, limit)
        return {**php.parse_query(call.query, limit), **given}

    def _time(self, started: datetime, key: Key) -> dict[str, object]:
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
            time |= {"operating_reset_at": self.operating.reset_at(key), "operating": self.operating.spent(key)}
        return time


def _json_params(body: str) -> dict[str, object]:
    """Malformed JSON is no error: the parameters are simply not there."""
    try:
        return php.items(json.loads(body))
    except ValueError:
        return {}
