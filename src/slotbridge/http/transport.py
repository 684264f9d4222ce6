"""One attempt at one HTTP request. The only module that knows httpx; its errors never leave it."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from json import dumps

import httpx

from slotbridge import __version__
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, ConfigurationError, NotSent, OutcomeUnknown, Side
from slotbridge.http.limiter import Limiter
from slotbridge.http.meter import Meter, Unmetered
from slotbridge.http.observer import RequestObserver, Unobserved
from slotbridge.http.redact import excerpt

MAX_BODY = 16 * 1024 * 1024
MAX_CONNECT = 10.0
# httpcore looks at every idle connection with every answer, and few of them are used again in the five seconds that
# they are kept: many requests at once come once in a run.
MAX_IDLE = 5

# The texts of these quote the address or the header that they dislike.
_UNUSABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError)
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of whatever status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@cache
def _trusted(*, trust_env: bool) -> ssl.SSLContext:
    """The certificates that httpx trusts. Reading them takes longer than most requests: all clients share them.

    Raises ConfigurationError for a file that is named and cannot be used.
    """
    try:
        return httpx.create_ssl_context(trust_env=trust_env)
    except OSError as error:  # ssl.SSLError is one
        what = f"the trusted certificates cannot be read ({error.strerror or type(error).__name__})"
        hint = "SSL_CERT_FILE and SSL_CERT_DIR, where they are set, have to name certificates in PEM form"
    raise ConfigurationError(what, hint=hint)


def _client(handler: httpx.AsyncBaseTransport | None, timeout: float, *, trust_env: bool) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            transport=handler,
            verify=_trusted(trust_env=trust_env),
            trust_env=trust_env,
            headers={"User-Agent": f"slotbridge/{__version__}", "Accept": "application/json"},
            # httpx's own limits are per read; a server that sends a byte now and then never meets them.
            timeout=httpx.Timeout(timeout, connect=min(MAX_CONNECT, timeout / 2)),
            limits=httpx.Limits(max_keepalive_connections=MAX_IDLE),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        # What httpx says shows the address, which may have a password in it.
        what = "the address of a proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used"
        hint = (
            'It has to be one such as "http://proxy.example.com:3128", or "https://…"; NO_PROXY names what needs none'
        )
    raise ConfigurationError(what, hint=hint)


class Transport:
    """Sends requests to one side at that side's pace. `requests` counts those sent, repetitions included.

    `clock_ahead` is by how many seconds the server's clock is ahead of ours, as its last answer said, if it did.
    """

    def __init__(
        self,
        side: Side,
        limiter: Limiter,
        clock: Clock,
        *,
        timeout: float = 30.0,
        handler: httpx.AsyncBaseTransport | None = None,
        trust_env: bool = True,
        meter: Meter | None = None,
        observer: RequestObserver | None = None,
    ) -> None:
        # httpx logs whole URLs at INFO, and a Bitrix24 webhook's secret is part of the path.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.side: Side = side
        self.limiter = limiter
        self.clock = clock
        self.meter = meter or Unmetered()
        self._observer: RequestObserver = observer or Unobserved()
        self.requests = 0
        self.clock_ahead: float | None = None
        self._timeout = timeout
        self._client = _client(handler, timeout, trust_env=trust_env)
        self._headers = {name.decode(): value.decode() for name, value in self._client.headers.raw}

    async def send(
        self,
        method: str,
        url: str,
        *,
        item: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
    ) -> Response:
        """One attempt, after waiting for our turn. `item` says in words what the call is about, for messages.

        Raises NotSent when no connection could be made, OutcomeUnknown when the answer did not come in full
        and in time, ApiError for an address or a key that cannot be used, BudgetSpent when the meter does not admit it.
        Redirects are not followed.
        """
        request = self._request(method, url, item, headers, params, json)
        waiting = self.clock.monotonic()
        await self.limiter.acquire()
        self.meter.admit()  # after the wait: whoever waited before us may have had the last of the month
        self._observer.held_back(self.side, self.clock.monotonic() - waiting)
        self.requests += 1
        self.meter.sent()
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._exchange(request, item)
            self._observer.answered(self.side, response.status)
            return response
        except httpx.InvalidURL:  # httpx reads the address of a redirect although it does not follow it
            what = "the answer was a redirect to an address that cannot be read"
            hint = "Check the host in the configuration; the next run reads again what came of it"
            failure: ApiError = OutcomeUnknown(what, side=self.side, item=item, hint=hint)
        except (httpx.HTTPError, TimeoutError) as error:
            failure = self._translated(error, item)
        except BaseException:  # cancelled: it was sent, and nobody waits for the answer any more
            self._observer.answered(self.side, None)
            raise
        if isinstance(failure, OutcomeUnknown):
            self._observer.answered(self.side, None)
        else:
            self.requests -= 1
            self.meter.unsent()
        raise failure  # not from within the handler: the original error knows the URL, and would hang on ours

    async def aclose(self) -> None:
        """Closes the connections that are kept open between requests."""
        await self._client.aclose()

    def _request(
        self,
        method: str,
        url: str,
        item: str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str | int] | None,
        json: object,
    ) -> httpx.Request:
        kind = {} if json is None else {"Content-Type": "application/json"}
        body = None if json is None else dumps(json).encode()
        try:
            # Not by the client: it would read the address twice over, for a base address, parameters and cookies of
            # its own to be merged, which it does not have.
            return httpx.Request(
                method, url, params=params, content=body, headers={**self._headers, **kind, **(headers or {})}
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            failure = self._translated(error, item)
        raise failure

    async def _exchange(self, request: httpx.Request, item: str) -> Response:
        answer = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_BODY:
                    what = f"the answer is larger than {MAX_BODY // 1024**2} MiB, and was not read to its end"
                    raise OutcomeUnknown(what, side=self.side, item=item, status=answer.status_code)
        finally:
            await answer.aclose()
        self._compare_clocks(answer.headers.get("date"))
        return Response(answer.status_code, dict(answer.headers.items()), bytes(body))

    def _compare_clocks(self, date: str | None) -> None:
        with suppress(TypeError, ValueError, OverflowError):
            self.clock_ahead = (parsedate_to_datetime(date or "") - self.clock.now()).total_seconds()

    def _translated(self, error: Exception, item: str) -> ApiError:
        if isinstance(error, _UNUSABLE):
            what = "the configured address or key cannot be put into a request"
            hint = "Check both for missing parts, line breaks and characters that do not belong there"
            return ApiError(what, side=self.side, item=item, hint=hint)
        if isinstance(error, _NO_CONNECTION):
            what = f"no connection could be made ({_cause(error)})"
            hint = "Nothing was sent. Check the network, the proxy, and the host name in the configuration"
            return NotSent(what, side=self.side, item=item, hint=hint)
        if isinstance(error, (TimeoutError, httpx.TimeoutException)):
            what = f"no complete answer within {self._timeout:g} seconds"
        else:
            what = f"the connection broke before the answer was complete ({_cause(error)})"
        return OutcomeUnknown(what, side=self.side, item=item, hint="The next run reads again what came of it")


def _cause(error: Exception) -> str:
    text = excerpt(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
