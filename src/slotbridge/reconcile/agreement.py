"""The terms a base was agreed on, and what makes it an agreement no longer (M12)."""

from __future__ import annotations

from typing import NamedTuple

from slotbridge.week import same_zone


class Agreement(NamedTuple):
    """The terms on which a pair's base was agreed.

    `time_form` is how the server wrote times then: "naive", "zoned", or "mixed"; None if unknown.
    """

    resource_id: int
    service_id: int
    zone: str
    slots: str
    capacity: str
    day_zero: str
    time_basis: str
    time_form: str | None


def disagreement(then: Agreement, now: Agreement) -> str | None:
    """Why a base agreed on the terms `then` cannot be used on those of `now`; None when it can."""
    said = [
        f"{name.replace('_', ' ')} changed from {before} to {after}"
        for name, before, after in zip(Agreement._fields, then, now, strict=True)
        if before != after and not _alike(name, before, after)
    ]
    return "; ".join(said) or None


def _alike(name: str, before: object, after: object) -> bool:
    if name == "zone":
        return same_zone(str(before), str(after))
    # An empty service has no times to tell the form from; learning it later is no change.
    return name == "time_form" and None in (before, after)
