"""The one error family. Every member says what happened, where, and what to do next.

SlotbridgeError
├── ConfigurationError    the user's configuration or command line is wrong          exit 2
├── LockHeld              another process works on this database                     exit 5
├── StoreError            the database cannot be used: newer, corrupt, full          exit 1
└── ApiError              one of the two services answered badly, or not at all      exit 1
    ├── NotSent           the request never reached the server; nothing happened there
    ├── OutcomeUnknown    the request may or may not have been executed
    ├── LimitReached      too fast; the request was not executed
    │   └── BudgetSpent   the month's requests are used up
    ├── BadAnswer         the answer cannot be understood, or does not add up
    ├── AccessRefused     the key is not accepted at all
    │   └── WriteRefused  the key may read, but not write
    ├── NotFound          the resource, service or time slot does not exist
    └── Rejected          the server found our request wrong

No message carries a secret: the transport never puts a URL into one, and servers' texts pass `http.redact`.
"""

from __future__ import annotations

import re
from copy import copy
from typing import Literal, TypeVar

Side = Literal["bitrix24", "reservekit"]

SIDE_NAMES: dict[Side, str] = {"bitrix24": "Bitrix24", "reservekit": "ReserveKit"}


class SlotbridgeError(Exception):
    """Something that a person has to read. `hint` is the next step, `item` the thing it is about."""

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        side: Side | None = None,
        pair: str | None = None,
        item: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.side = side
        self.pair = pair
        self.item = item
        self.hint = hint

    @property
    def where(self) -> str:
        """The pair, the side and the item, as far as they are known, outermost first."""
        side = SIDE_NAMES[self.side] if self.side else None
        return ", ".join(part for part in (self.pair, side, self.item) if part)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}. {self.hint}" if self.hint else head

    @property
    def words(self) -> str:
        """What happened and what to do, without the place, which whoever tells it again adds anew."""
        return f"{self.what}. {self.hint}" if self.hint else self.what

    def as_json(self) -> dict[str, str | None]:
        """The error as a member of a `--json` document."""
        return {
            "kind": type(self).__name__,
            "what": self.what,
            "side": self.side,
            "pair": self.pair,
            "item": self.item,
            "hint": self.hint,
        }


class ConfigurationError(SlotbridgeError):
    """One or more problems in the configuration, each a line in `problems`."""

    exit_code = 2

    def __init__(self, what: str, *, problems: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(what, hint=hint)
        self.problems = problems


class LockHeld(SlotbridgeError):
    """Another process holds the lock of this database."""

    exit_code = 5


class StoreError(SlotbridgeError):
    """The database cannot be opened, read or written."""


class ApiError(SlotbridgeError):
    """One of the two services answered badly or not at all.

    `status` is the HTTP status, `code` the server's own error code, where there was one. `own_words` are `what`
    without anything that the server said, where it was put together so.
    """

    own_words: str | None = None

    def __init__(
        self,
        what: str,
        *,
        side: Side | None = None,
        pair: str | None = None,
        item: str | None = None,
        hint: str | None = None,
        status: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(what, side=side, pair=pair, item=item, hint=hint)
        self.status = status
        self.code = code


class NotSent(ApiError):
    """The request never reached the server: nothing happened there."""


class OutcomeUnknown(ApiError):
    """The request was sent and no usable answer came back: it may have been executed.

    `once` says that asking a second time helps or nothing does: the server did answer, and told of a failure. `refusal`
    is what such an answer to a write comes to if reading shows that nothing was executed.
    """

    once = False
    refusal: Rejected | None = None


class LimitReached(ApiError):
    """The server refused the request for its rate; it was not executed.

    `retry_after` is the wait in seconds that the server asked for, if it did.
    """

    retry_after: float | None = None


class BudgetSpent(LimitReached):
    """The month's requests are used up; asking again before the month turns is pointless."""


class BadAnswer(ApiError):
    """An answer that cannot be understood, or a listing that does not add up (G4)."""


class AccessRefused(ApiError):
    """The key is not accepted at all."""


class WriteRefused(AccessRefused):
    """The key may read, but not write (W6)."""


class NotFound(ApiError):
    """The resource, service or time slot does not exist, or the key belongs to another account."""


class Rejected(ApiError):
    """The server found the request wrong; sending it again would not help."""


class NotKept(ApiError):
    """The server took a write, and holds something else now."""


def is_final(error: SlotbridgeError | None) -> bool:
    """Whether the server has judged the request, and would say the same again until something has changed.

    What did not arrive, came too fast or was lost, it has not judged; a code that we do not know is a judgement (4xx).
    """
    if type(error) is ApiError:
        return error.code is not None and (error.status is None or 400 <= error.status < 500)
    return isinstance(error, Rejected | NotFound | AccessRefused)


E = TypeVar("E", bound=ApiError)


def impersonal(error: E) -> E:
    """The same error without what the server said beyond a code: it may quote the customer whom it is about."""
    told = copy(error)
    told.code = error.code if error.code and re.fullmatch(r"[\w.-]{1,60}", error.code, re.ASCII) else None
    known = " ".join(str(each) for each in (error.status, told.code) if each)
    if error.own_words is not None:
        told.what = f"{error.own_words} ({known})" if known else error.own_words
    elif error.status is not None:
        told.what = f"answered {known}"
    elif isinstance(error, BadAnswer):
        told.what = "the answer cannot be understood"
    return told
