"""How it is remembered that something was refused, and for how long it is not sent again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

_DENIED: Final = "denied"


def once(digest: str) -> str:
    """The name under which a first refusal is remembered: it is sent once more."""
    return f"{digest} once"


def within_the_hour(digest: str, now: datetime, *, denied: bool = False) -> str:
    """The name under which a refusal is remembered for this hour, be it for want of a permission."""
    hour = f"{digest} {now:%Y-%m-%dT%H}"
    return f"{hour} {_DENIED}" if denied else hour


def marked(digest: str, known: Collection[str], now: datetime, *, denied: bool = False) -> str:
    """The name of what was refused, with when it may not be sent again: in this hour, if it was sent before."""
    return within_the_hour(digest, now, denied=denied) if digest in map(what, known) else once(digest)


def what(name: str) -> str:
    """The digest in such a name."""
    return name.partition(" ")[0]


def held_off(digest: str, known: Collection[str], now: datetime, *, patient: bool) -> str | None:
    """The name in `known` because of which this is not sent now, if there is one.

    Whoever gives a permission looks at once whether it works: that it was missing keeps off only who is `patient`.
    """
    names = [within_the_hour(digest, now), *([within_the_hour(digest, now, denied=True)] if patient else [])]
    return next((name for name in names if name in known), None)
