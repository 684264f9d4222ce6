"""One request after the other: who asks, how often, and when it is better not to ask."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from slotbridge.clock import Clock
from slotbridge.errors import ApiError, BudgetSpent, ConfigurationError, LimitReached, OutcomeUnknown
from slotbridge.http.retry import LONGEST_ABSENCE, LONGEST_WAIT_ASKED_FOR, pause, retried
from slotbridge.http.transport import Response, Transport
from slotbridge.reservekit.answers import appearance, envelope, parsed, says_error
from slotbridge.reservekit.failures import Surface, failure, says_limit
from slotbridge.reservekit.kinds import Row
from slotbridge.reservekit.limits import bucket_wait
from slotbridge.reservekit.pages import PAGE_SIZE, Page, list_completely, read_page

LIKELY_SKEW: Final = 86400.0
"""Seconds. A server whose clock seems to be off by more is not believed."""


class Calls:
    """Requests to one account with one key. Reads are repeated when an answer got lost, writes never are.

    `pages` is how many pages were asked for when a listing was last read in full, by its path and the service that it
    is of, 0 for none.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        transport: Transport,
        *,
        clock: Clock,
        random: Random,
        origin: str | None = None,
    ) -> None:
        if not re.fullmatch(r"[!-~]+", key := api_key.strip()):
            raise ConfigurationError(
                "[reservekit] api_key is empty or has characters that no key has",
                hint="Copy it again, without spaces",
            )
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._origin = origin
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            # Whether a key that is bound to a domain passes without is documented nowhere.
            **({"Origin": origin} if origin else {}),
        }
        self._transport = transport
        self._clock = clock
        self._random = random
        self._left_alone_until = clock.monotonic() + transport.meter.absence
        self.pages: dict[tuple[str, int], int] = {}

    @property
    def requests(self) -> int:
        """How many requests were sent, repeated ones included: each of them counts against the month."""
        return self._transport.requests

    def require_room(self, requests: int) -> None:
        """Raises BudgetSpent if the month has no room for so many."""
        self._transport.meter.admit(requests)

    async def read(self, path: str, item: str, params: Mapping[str, int] | None = None) -> dict[str, Any]:
        """The whole answer to a GET: an object that has `data` and no error.

        One that is no JSON, be it empty, cut off or a page of some proxy, is asked for once more.
        """
        response = await self._call("GET", path, item, params=params)
        if parsed(response.body) is None:
            await self._clock.sleep(pause(None, 1, self._random.random()))
            response = await self._call("GET", path, item, params=params)
        return self.content(response, item)

    async def write(
        self,
        method: str,
        path: str,
        item: str,
        surface: Surface,
        *,
        params: Mapping[str, int] | None = None,
        json: object = None,
    ) -> Response:
        """The answer to a write; its content is another matter."""
        return await self._call(method, path, item, writes=surface, params=params, json=json)

    async def listing(
        self, path: str, name: str, params: Mapping[str, int], item: str, *, thorough: bool = False
    ) -> list[Row]:
        """All rows of a listing, or BadAnswer. `thorough` looks behind a list that came without page numbers."""
        asked = 0

        async def fetch(number: int) -> Page:
            nonlocal asked
            asked = number
            answer = await self.read(path, item, {**params, "page": number, "page_size": PAGE_SIZE})
            return read_page(answer, name, item=item, first=number == 1)

        rows = await list_completely(fetch, item=item, thorough=thorough)
        if not thorough:  # the look behind the end is an exception, and not what every run takes
            self.pages[path, params.get("service_id", 0)] = asked
        return rows

    def content(self, response: Response, item: str) -> dict[str, Any]:
        """The object of a success. Raises BadAnswer."""
        return envelope(response, item=item, secret=self._key)

    async def _call(
        self,
        method: str,
        path: str,
        item: str,
        *,
        writes: Surface | None = None,
        params: Mapping[str, int] | None = None,
        json: object = None,
    ) -> Response:
        """An answer with a status of success. A write is repeated only if it certainly was not executed."""

        async def attempt() -> Response:
            self._check(item)
            url = self._base_url + path
            response = await self._transport.send(
                method, url, item=item, headers=self._headers, params=params, json=json
            )
            if wait := bucket_wait(response.headers, self._server_time()):
                self._transport.limiter.penalize(wait)
            limited = says_limit(response, self._key)
            if not limited and response.status < 500:  # whose month is used up gets no other answer
                self._transport.meter.passed()
            if 200 <= response.status < 300 and not limited and (writes is None or not says_error(response)):
                return response if writes is None else _acknowledged(response, item, any_text=method == "DELETE")
            now, key = self._server_time(), self._key
            error = failure(response, item=item, writes=writes, now=now, secret=key, origin=self._origin)
            self._keep_away(error)
            raise error

        return await retried(attempt, clock=self._clock, repeatable=writes is None, random=self._random)

    def _server_time(self) -> datetime:
        """What the server's clock shows, if it told something likely: dates in its headers go by it."""
        ahead = self._transport.clock_ahead or 0.0
        return self._clock.now() + timedelta(seconds=ahead if abs(ahead) < LIKELY_SKEW else 0.0)

    def _keep_away(self, error: ApiError) -> None:
        """Keeps everybody who shares this key from running into the same refusal."""
        if isinstance(error, BudgetSpent):
            self._transport.meter.spent()
        elif isinstance(error, LimitReached):
            wait = 1.0 if error.retry_after is None else error.retry_after
            if wait <= LONGEST_WAIT_ASKED_FOR:
                self._transport.limiter.penalize(wait)
            else:
                absence = min(wait, LONGEST_ABSENCE)
                self._left_alone_until = self._clock.monotonic() + absence
                self._transport.meter.left_alone(absence)

    def _check(self, item: str) -> None:
        """Raises LimitReached while ReserveKit wants to be left alone for longer than a call can wait."""
        left = self._left_alone_until - self._clock.monotonic()
        if left <= 0:
            return
        what = f"asked to be left alone for another {math.ceil(left / 60)} minutes; nothing was sent"
        hint = "The next run after that asks again"
        error = LimitReached(what, side="reservekit", item=item, hint=hint)
        error.retry_after = left
        raise error


def _acknowledged(response: Response, item: str, *, any_text: bool) -> Response:
    """A success that comes from the API itself: a page of some proxy, or half a body, says nothing about a write.

    What else is in the body does not matter: of the answer to a change several forms are documented, and to a deletion
    none at all (`reference/reservekit.md` 3f, 3m). Whoever needs to see what was created reads on.
    """
    body = response.body.strip()
    plain = not body.startswith((b"<", b"{", b"["))
    if response.status == 204 or not body or (any_text and plain) or parsed(body) is not None:
        return response
    what = f"answered {response.status} with {appearance(response.body)}"
    hint = "It may or may not be executed; it is looked at before anything is sent again"
    raise OutcomeUnknown(what, side="reservekit", item=item, hint=hint, status=response.status)
