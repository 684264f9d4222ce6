"""A ReserveKit account that answers requests, without any network."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import format_datetime

from slotbridge.sandbox import reservations_bookings as bookings
from slotbridge.sandbox import reservations_services as services
from slotbridge.sandbox import reservations_slots as slots
from slotbridge.sandbox.reservations_patch import patch_slots
from slotbridge.sandbox.reservations_state import ReservationsState
from slotbridge.sandbox.reservations_wire import Query, Refusal, Success
from slotbridge.sandbox.wire import Answer, Call, json_answer, lower_names

Body = Mapping[str, object]
Route = Callable[[ReservationsState, int, Query, Body], Success]

_ROUTES: Mapping[tuple[str, str], Route] = {
    ("GET", "/services"): lambda state, _id, query, _body: services.list_services(state, query),
    ("POST", "/services"): lambda state, _id, _query, body: services.create_service(state, body),
    ("GET", "/services/{id}"): lambda state, key, _query, _body: services.get_service(state, key),
    ("PATCH", "/services/{id}"): lambda state, key, _query, body: services.patch_service(state, key, body),
    ("DELETE", "/services/{id}"): lambda state, key, _query, _body: services.delete_service(state, key),
    ("GET", "/services/{id}/time-slots"): lambda state, key, query, _body: slots.nested_slots(state, key, query),
    ("GET", "/time-slots"): lambda state, _id, query, _body: slots.list_slots(state, query),
    ("PATCH", "/time-slots"): lambda state, _id, _query, body: patch_slots(state, body),
    ("DELETE", "/time-slots"): lambda state, _id, query, _body: slots.delete_day(state, query),
    ("DELETE", "/time-slots/{id}"): lambda state, key, _query, _body: slots.delete_slot(state, key),
    ("GET", "/bookings"): lambda state, _id, query, _body: bookings.list_bookings(state, query),
    ("POST", "/bookings"): lambda state, _id, query, body: bookings.create_booking(state, query, body),
    ("GET", "/bookings/{id}"): lambda state, key, _query, _body: bookings.get_booking(state, key),
    ("PATCH", "/bookings/{id}"): lambda state, key, _query, body: bookings.patch_booking(state, key, body),
    ("DELETE", "/bookings/{id}"): lambda state, key, _query, _body: bookings.delete_booking(state, key),
    ("GET", "/bookings/{id}/customer"): lambda state, key, _query, _body: bookings.get_customer(state, key),
    ("PATCH", "/bookings/{id}/customer"): lambda state, key, _query, body: bookings.patch_customer(state, key, body),
}
_SLOT_WRITES = {("PATCH", "/time-slots"), ("DELETE", "/time-slots"), ("DELETE", "/time-slots/{id}")}
_REFUSALS = {
    401: ("invalid_api_key", "API key is not valid for this operation"),
    403: ("forbidden", "API key may not do this"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
}


class Reservations(ReservationsState):
    """One account with one API key."""

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answers one request, after the hooks and with the faults that `traffic` holds for it."""
        call = Call("reservekit", method, path, query, lower_names(headers), body)
        return self.traffic.handle(call, self._answer)

    def _answer(self, call: Call) -> Answer:
        try:
            self._authenticate(call.headers)
            self._admit()
            done = self._perform(call)
        except Refusal as refusal:
            return self._refused(refusal)
        if done.status == 204:
            return Answer(204, self._rate_headers(), b"")
        return json_answer(done.status, done.body(self.behaviour), self._rate_headers())

    def _refused(self, refusal: Refusal) -> Answer:
        headers, form = self._rate_headers(), self.behaviour.not_found
        if refusal.status == 404 and form == "bare":
            return Answer(404, {"content-type": "text/plain; charset=utf-8", **headers}, b"404 page not found\n")
        if refusal.status == 404 and form == "resource":
            refusal = Refusal(404, "resource_not_found", "Resource not found")
        if refusal.retry_after is not None and self.behaviour.retry_after_form != "body":
            headers["Retry-After"] = self._retry_after(refusal.retry_after)
        return json_answer(refusal.status, refusal.body(self.behaviour), headers)

    def _retry_after(self, seconds: int) -> str:
        if self.behaviour.retry_after_form == "seconds":
            return str(seconds)
        return format_datetime(self.clock.now() + timedelta(seconds=seconds), usegmt=True)

    def _authenticate(self, headers: Mapping[str, str]) -> None:
        given = headers.get("authorization")
        if given is None:
            raise Refusal(401, "authentication_required", "Authorization header is missing")
        scheme, _, key = given.partition(" ")
        if scheme != "Bearer" or not key:
            raise Refusal(401, "authorization_header_malformed", "Authorization header is malformed")
        if key != self.key:
            raise Refusal(401, "invalid_api_key", "Invalid API key")
        bound = self.behaviour.origin
        if bound is not None and headers.get("origin") != bound:
            raise Refusal(403, "origin_mismatch", "Origin does not match API key domain")

    def _admit(self) -> None:
        """Counts the request. Raises Refusal if it is one too many for the month or the rate."""
        count, limit = self.month.add(), self.behaviour.requests_per_month
        try:
            if limit is not None and count > limit:
                wait = self.behaviour.month_retry_after
                raise Refusal(429, "api_limit_exceeded", "Monthly usage limit exceeded", retry_after=wait)
            self._take_token()
        except Refusal:
            self.month.count -= not self.behaviour.refused_count
            raise

    def _take_token(self) -> None:
        if not self.behaviour.limiter:
            return
        self.bucket.rate, self.bucket.burst = self.behaviour.rate, self.behaviour.burst
        wait = self.bucket.take()
        if wait > 0:
            seconds = math.ceil(wait) if self.behaviour.retry_after else None
            raise Refusal(429, "rate_limit_exceeded", "Too many requests", retry_after=seconds)

    def _rate_headers(self) -> dict[str, str]:
        form = self.behaviour.rate_headers
        if not self.behaviour.limiter or form == "none":
            return {}
        seconds = (self.bucket.burst - self.bucket.left) / self.bucket.rate
        at = self.clock.now().timestamp() + seconds
        reset = {"epoch": at, "millis": at * 1000, "seconds": seconds}[form]
        return {
            "X-RateLimit-Limit": str(self.bucket.burst),
            "X-RateLimit-Remaining": str(self.bucket.left),
            "X-RateLimit-Reset": str(math.ceil(reset)),
        }

    def _perform(self, call: Call) -> Success:
        path = call.path.removeprefix("/v1").rstrip("/")
        pattern = re.sub(r"/\d+(?=/|$)", "/{id}", path)
        route = _ROUTES.get((call.method, pattern))
        if route is None:
            known = any(pattern == other for _, other in _ROUTES)
            raise _refusal(405 if known else 404)
        if (call.method, pattern) in _SLOT_WRITES and self.behaviour.writes_refused is not None:
            raise _refusal(self.behaviour.writes_refused)
        if f"{call.method} {pattern}" in self.behaviour.closed:
            raise _refusal(self.behaviour.closed_status)
        number = re.search(r"/(\d+)", path)
        body = _json_object(call.body) if call.method in ("POST", "PATCH") else {}
        return route(self, int(number[1]) if number else 0, Query.of(call.query), body)


def _refusal(status: int) -> Refusal:
    return Refusal(status, *_REFUSALS[status])


def _json_object(body: bytes) -> Body:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise Refusal(400, "invalid_request", "Request body is not valid JSON") from error
    if not isinstance(value, dict):
        raise Refusal(400, "invalid_request", "Request body must be an object")
    return value
