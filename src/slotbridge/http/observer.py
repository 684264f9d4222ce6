"""Who watches requests go by, and has no say in them."""

from __future__ import annotations

from typing import Protocol

from slotbridge.errors import Side


class RequestObserver(Protocol):
    """Is told of every request, repetitions included. Returns at once and never raises."""

    def answered(self, side: Side, status: int | None) -> None:
        """A request was sent, and this is its HTTP status; None if no usable answer came."""

    def held_back(self, side: Side, seconds: float) -> None:
        """A request waited so many seconds for its turn; hardly any, if it could go at once."""


class Unobserved:
    """For those whom nobody watches."""

    def answered(self, side: Side, status: int | None) -> None:
        """Is not noted."""

    def held_back(self, side: Side, seconds: float) -> None:
        """Is not noted."""
