"""Names and descriptions: what the side that does not lead is to be given, and what that overrules. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from slotbridge.reconcile.model import NAMES, Change, Hold, HoldKind, Side, fingerprint, other

MOST_SHOWN: Final = 60
"""Characters of a text in a message."""

_JOINER: Final = "\u200d"
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)


class Profile(NamedTuple):
    """What a resource or a service is called, as its side stores it; `Profile.of` reads it."""

    name: str
    description: str = ""

    @classmethod
    def of(cls, name: str | None, description: str | None) -> Profile:
        """Missing, null and empty are the same; so are texts that differ in space around them, or in line ends."""
        return cls(_text(name), _text(description))


# In characters: the API schema of ReserveKit, and what the portal's database takes.
ROOM: Final[Mapping[Side, Mapping[str, int]]] = {
    "bitrix24": {"name": 255, "description": 255},
    "reservekit": {"name": 72, "description": 255},
}


class Names(NamedTuple):
    """What both sides of a pair call it."""

    bitrix24: Profile
    reservekit: Profile

    def of(self, side: Side) -> Profile:
        """What that side calls it."""
        return self.bitrix24 if side == "bitrix24" else self.reservekit

    def having(self, side: Side, profile: Profile) -> Names:
        """The same with one side called otherwise."""
        return Names(profile, self.reservekit) if side == "bitrix24" else Names(self.bitrix24, profile)


class LostName(NamedTuple):
    """An edit of a name or description that the leading side overruled, kept whole for the history (M3)."""

    side: Side
    fields: Mapping[str, str]
    why: str


class Renaming(NamedTuple):
    """What `side` shows and what it is to be given, and why. `lost` is the edit that this overrules, if it does."""

    side: Side
    before: Profile
    after: Profile
    why: str
    lost: LostName | None = None

    @property
    def fields(self) -> dict[str, str]:
        """What is to be written; empty if nothing is."""
        return differing(self.after, self.before)

    @property
    def digest(self) -> str:
        """A short name for this write: what is sent on top of what."""
        return f"{REFUSED}{fingerprint((self.side, self.before, self.after))}"

    def towards(self, found: Profile) -> Renaming:
        """What is still to be written to a side that shows `found` by now."""
        return self._replace(before=found, lost=None)

    def instead_of(self, found: Profile) -> Renaming:
        """The same, sent over `found`: an edit since the plan was made is lost where it had another text (M3)."""
        seen = differing(found, self.before)
        lost = {
            field: text for field, text in differing(found, self.after).items() if field in self.fields.keys() & seen
        }
        why = f"edited in {NAMES[self.side]} right before it was written, but {NAMES[other(self.side)]} leads names"
        return self._replace(lost=LostName(self.side, lost, why)) if lost else self._replace(lost=None)

    def reached(self, found: Profile) -> Renaming:
        """As far as it came, by what the side shows after it: fields that do not show what was sent are left out."""
        rows = zip(found, self.before, self.after, strict=True)
        return self._replace(after=Profile(*(after if there == after else before for there, before, after in rows)))

    @property
    def change(self) -> Change:
        """The change as it is told."""
        before, after = differing(self.before, self.after), differing(self.after, self.before)
        return Change(self.side, "update", before, after, self.why)


REFUSED: Final = "names:"
"""What the digests of renamings begin with, among those of the writes that are not to be sent again (W3)."""


def follow(base: Names | None, shown: Names, leader: Side) -> Renaming:
    """What the side across from `leader` is to be called. `base` is what each side stored when they last agreed.

    A field that both sides still show as they stored it stays as it is, since conversion loses (C3). Otherwise the
    leader's is wanted, cut to what fits; an empty name is not, because neither side takes one.
    """
    side = other(leader)
    before = shown.of(side)
    after = Profile(*(_wanted(field, base, shown, leader) for field in Profile._fields))
    edited = [] if base is None else list(differing(before, base.of(side)))
    lost = {field: text for field, text in differing(before, after).items() if field in edited}
    why = _why(base, shown, leader, overrules=bool(lost))
    return Renaming(side, before, after, why, LostName(side, lost, why) if lost else None)


def _wanted(field: str, base: Names | None, shown: Names, leader: Side) -> str:
    theirs: str = getattr(shown.of(other(leader)), field)
    if base is not None and all(getattr(base.of(s), field) == getattr(shown.of(s), field) for s in NAMES):
        return theirs
    fitting = cut(getattr(shown.of(leader), field), ROOM[other(leader)][field])
    return theirs if field == "name" and not fitting else fitting


def _why(base: Names | None, shown: Names, leader: Side, *, overrules: bool) -> str:
    leads = f"{NAMES[leader]} leads names"
    if base is None:
        return leads
    if not overrules:
        return f"edited in {NAMES[leader]}"
    if base.of(leader) != shown.of(leader):
        return f"edited on both sides, and {leads}"
    return f"edited in {NAMES[other(leader)]}, but {leads}"


def differing(one: Profile, two: Profile) -> dict[str, str]:
    """The fields of `one` that `two` has otherwise."""
    return {field: text for field, text, there in zip(Profile._fields, one, two, strict=True) if text != there}


def hold_renaming(pair: str, renaming: Renaming, shown: Names, kind: HoldKind, reason: str) -> Hold:
    """A renaming that waits until its side takes it (W6, S5)."""
    fields = renaming.fields
    has: dict[str, str] = {side: _words({field: getattr(shown.of(side), field) for field in fields}) for side in NAMES}
    item: dict[str, Any] = {**has, "would_become": {renaming.side: _words(fields)}}
    return Hold(kind, reason, held_print(renaming.side), pair, (item,))


def held_print(side: Side) -> str:
    """The fingerprint of every hold of a renaming in that side."""
    return fingerprint("names", side)


def _words(fields: Mapping[str, str]) -> str:
    return ", ".join(f'{field} "{text}"' for field, text in fields.items())


def cut(text: str, room: int) -> str:
    """The text, or as much of it as fits; accents and parts of an emoji stay with what they belong to."""
    if len(text) <= room:
        return text
    end = room
    while end and _belong_together(text[end - 1], text[end]):
        end -= 1
    return text[: end or room].rstrip()


def _belong_together(left: str, right: str) -> bool:
    return _JOINER in (left, right) or unicodedata.category(right).startswith("M") or ord(right) in _SKIN_TONES


def _text(text: str | None) -> str:
    # Half a surrogate pair, which JSON may carry, can neither be sent nor stored.
    whole = (text or "").encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\r\n", "\n").strip()
