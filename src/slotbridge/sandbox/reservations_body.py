"""A request's JSON object, read as strictly as Go's decoder and validator do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slotbridge.sandbox.behaviour import ReserveKitBehaviour
from slotbridge.sandbox.reservations_wire import Refusal

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_E164 = re.compile(r"\+[1-9]?[0-9]{7,14}")


@dataclass(slots=True)
class Given:
    """The members of a body, with what is wrong with those that were looked at."""

    members: Mapping[str, object]
    behaviour: ReserveKitBehaviour
    problems: dict[str, str] = field(default_factory=dict)

    def require(self, *names: str) -> None:
        """Raises Refusal for the first that is missing; Go cannot tell an empty text from one that was not sent."""
        for name in names:
            if self.members.get(name) in (None, ""):
                raise Refusal(400, "missing_required_field", f"{name} is required")

    def number(self, name: str) -> int | None:
        """A number: no text, no true."""
        value = self.members.get(name)
        if value is None or type(value) is int:
            return value
        self.problems[name] = "must be an integer"
        return None

    def text(self, name: str, longest: int | None = None) -> str | None:
        """A text. An empty one may count as not sent."""
        value = self.members.get(name)
        if value is None or (value == "" and self.behaviour.empty_text == "unchanged"):
            return None
        if not isinstance(value, str):
            self.problems[name] = "must be a string"
            return None
        if longest is not None and len(value) > longest:
            self.problems[name] = f"must be at most {longest} characters"
        return value

    def zone(self, name: str) -> str | None:
        """The name of a time zone."""
        zone = self.text(name)
        try:
            return zone if zone is None else ZoneInfo(zone).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.problems[name] = "must be a time zone"
            return None

    def email(self, name: str) -> str | None:
        """An e-mail address."""
        return self._matching(name, _EMAIL, "must be a valid email")

    def phone(self, name: str) -> str | None:
        """A phone number as E.164 has it."""
        return self._matching(name, _E164, "must be a valid E.164 phone number")

    def day(self, name: str) -> str | None:
        """A date; of a whole time stamp, which the Go SDK sends, the date counts."""
        value = self.members.get(name)
        try:
            return None if value is None else date.fromisoformat(str(value)[:10]).isoformat()
        except ValueError as error:
            raise Refusal(400, "invalid_field_format", f"{name} must be YYYY-MM-DD") from error

    def check(self, *known: str) -> None:
        """Raises Refusal with all problems, unknown members among them if the decoder is strict."""
        if self.behaviour.strict_fields:
            unknown = sorted(self.members.keys() - set(known))
            self.problems |= dict.fromkeys(unknown, "unknown field")
        if self.problems:
            raise Refusal(400, "validation_failed", "Validation failed", details=self.problems)

    def _matching(self, name: str, pattern: re.Pattern[str], problem: str) -> str | None:
        value = self.text(name)
        if value is not None and not pattern.fullmatch(value):
            self.problems[name] = problem
        return value
