"""Who counts requests, and may say that there are none left."""

from __future__ import annotations

from typing import Protocol


class Meter(Protocol):
    """Is asked before a request is sent, and told what became of it."""

    @property
    def absence(self) -> float:
        """The seconds for which the server has asked an earlier process to leave it alone, as far as they are left."""

    def admit(self, requests: int = 1) -> None:
        """Raises BudgetSpent when not so many requests may be sent now."""

    def sent(self) -> None:
        """A request is about to leave: it counts, whatever becomes of it."""

    def unsent(self) -> None:
        """The request that was counted last never left."""

    def passed(self) -> None:
        """The server answered as it should."""

    def spent(self) -> None:
        """The server says that the month's requests are used up."""

    def left_alone(self, seconds: float) -> None:
        """The server asks to be left alone for longer than a call can wait."""


class Unmetered:
    """For those who leave no trace: nothing is counted, and nothing refused."""

    absence = 0.0

    def admit(self, requests: int = 1) -> None:
        """Always."""

    def sent(self) -> None:
        """Is not counted."""

    def unsent(self) -> None:
        """Was not counted."""

    def passed(self) -> None:
        """Is not noted."""

    def spent(self) -> None:
        """Is not noted."""

    def left_alone(self, seconds: float) -> None:
        """Is not noted."""
