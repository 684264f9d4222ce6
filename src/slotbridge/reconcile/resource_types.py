"""Resource types as declared and as the portal has them: what is to be sent, or why it cannot be. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from slotbridge.reconcile.model import Change, fingerprint

Setting = bool | int | str
Fields = Mapping[str, Setting]

WHY = "declared in [[resource_types]]"


class Obstacle(NamedTuple):
    """Why a declaration is not sent, and what a person can do about it."""

    what: str
    hint: str


class TypePlan(NamedTuple):
    """What a resource type is to be sent: the `fields` that differ, together with `code`. Nothing for no fields.

    `before` are the present values, the code among them if that is to change, too; `after` those that are declared.
    """

    before: Fields
    after: Fields
    obstacle: Obstacle | None = None

    @property
    def fields(self) -> Fields:
        """What is sent besides the code."""
        return {name: value for name, value in self.after.items() if name != "code"}

    @property
    def change(self) -> Change | None:
        """What would be sent, as it is told."""
        if self.obstacle is not None or not self.after:
            return None
        return Change("bitrix24", "update", self.before, self.after, WHY)

    def reached(self, now: Fields) -> Change | None:
        """What has come of it, if the type is like `now` after it was sent."""
        after = {name: now.get(name, old) for name, old in self.before.items()}
        moved = {name: value for name, value in after.items() if value != self.before[name]}
        if not moved:
            return None
        return Change("bitrix24", "update", {name: self.before[name] for name in moved}, moved, WHY)

    @property
    def digest(self) -> str:
        """A short name for this write: what is sent on top of what."""
        return fingerprint((sorted(self.before.items()), sorted(self.after.items())))


def compare(declared: Fields, present: Fields, taken: Collection[str]) -> TypePlan:
    """What is to be sent for a declaration. `taken` are the codes of all the portal's types, this one's included.

    The portal takes an update only together with a code that no type has: it refuses the type's own one.
    """
    untold = sorted(declared.keys() - present.keys())
    if untold:
        hint = "Take it out of [[resource_types]], or ask for an update of the portal"
        return TypePlan({}, {}, Obstacle(f"the portal tells nothing about {' and '.join(untold)}", hint))
    after = {name: value for name, value in declared.items() if not _alike(name, value, present[name])}
    plan = TypePlan({name: present[name] for name in after}, after)
    if not after:
        return plan
    own, wanted = str(present["code"]), str(declared.get("code", present["code"]))
    if wanted.casefold() not in {code.casefold() for code in taken}:
        return plan
    differs = ", ".join(name for name in after if name != "code") or "code"
    whose = "it has that code already" if wanted.casefold() == own.casefold() else "another type has that code"
    what = f'{differs} cannot be changed with the code "{wanted}": {whose}'
    hint = (
        f'Choose a code that no type has yet in [[resource_types]], such as code = "{free_code(own, taken)}"; '
        "the portal takes every change only together with a new code"
    )
    return plan._replace(obstacle=Obstacle(what, hint))


def free_code(own: str, taken: Collection[str]) -> str:
    """A code that no type has, made of the present one: doctors, doctors_2, doctors_3."""
    stem, known = re.sub(r"_\d+$", "", own) or "type", {code.casefold() for code in taken}
    number = next(n for n in range(2, len(known) + 3) if f"{stem}_{n}".casefold() not in known)
    return f"{stem}_{number}"


def _alike(name: str, one: Setting, two: Setting) -> bool:
    """Codes are compared as the portal does, without regard to case."""
    return str(one).casefold() == str(two).casefold() if name == "code" else one == two
