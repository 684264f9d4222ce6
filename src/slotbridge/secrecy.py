"""Secrets that are known by their text: where they stand in the configuration, and how they are found in a text."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Protocol

from pydantic import BaseModel, SecretStr

from slotbridge.http.redact import MASK, redact

SHORTEST = 6
"""Characters that a secret needs to be masked wherever it stands: a shorter one is part of many a word."""

UNMISTAKABLE = 12
"""Characters from which a secret that looks like a word is none: codes, keys and tokens of both services have more."""

_WORD = re.compile(r"[^\W\d_]+\d{0,2}")  # "sandbox", "bitrix24"

# What a reader does not see, and what may part a secret: commands to a terminal, also as a repr shows them, and
# characters without width.
_UNSEEN = re.compile(r"(?:\x1b|\\x1b|\\u001b)\[[0-?]*[ -/]*[@-~]|[\u00ad\u200b-\u200f\u2060\ufeff]", re.IGNORECASE)

_QUOTING = r"(?:\\|%(?:25)*+5c)*"
_BASE64 = {"+": r"(?:[+-]|%2b)", "/": r"(?:\\*/|_|%2f)"}
_BACKSLASHES = r"(?>(?:\\|u005c|x5c|%(?:25)*+5c)+)"


class Holder(Protocol):
    """What holds secrets that come and go, as an application's tokens do."""

    @property
    def secrets(self) -> Collection[str]:
        """Those that it holds now."""


class Secrets(Collection[str]):
    """What must be told nowhere: the configuration's secrets, and at every look those that the holder has by then.

    `shown` are those that a command has to show all the same.
    """

    def __init__(self, configured: Collection[str], *, shown: Collection[str] = ()) -> None:
        self._configured = configured
        self._shown = shown
        self.holder: Holder | None = None

    @property
    def unmistakable(self) -> list[str]:
        """Those that stand in no text of ours, nor in what the user wrote: a short word may, such as "sandbox"."""
        return [secret for secret in self if secret not in self._shown and not _may_be_a_word(secret)]

    def __iter__(self) -> Iterator[str]:
        yield from self._configured
        if self.holder is not None:
            yield from self.holder.secrets

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, text: object) -> bool:
        return any(text == secret for secret in self)


def secrets_of(settings: BaseModel) -> frozenset[str]:
    """Every secret in these settings; of an address, the part that is secret: the last of its path."""
    return frozenset(_secrets_in(settings))


def hide(text: str, secrets: Collection[str]) -> str:
    """The text without these secrets, be they written plainly, percent-encoded, escaped as in JSON or a repr, or as
    base64 or hex; also without the greater part of one, where a message shows the beginning of a long text.
    """
    known = tuple(sorted((secret for secret in secrets if len(secret) >= SHORTEST), key=len, reverse=True))
    return _spellings(known).sub(MASK, text) if known else text


def scrubbed(text: str, secrets: Collection[str]) -> str:
    """A text that nobody has looked through, such as a log's, without these secrets and all that looks like one."""
    return redact(hide(_UNSEEN.sub("", text), secrets))


def fit_to_be_told(text: str, secrets: Collection[str]) -> str:
    """A text of a command's output without these secrets; one that has none is left as it is.

    What merely looks like a secret is left, too. Servers' messages are rid of it where they are read, and of a name
    it would take what is none: "Ring bearer rehearsal", "Cookie: baking course".
    """
    seen = _UNSEEN.sub("", text)
    told = hide(seen, secrets)
    return text if told == seen else told


def _may_be_a_word(secret: str) -> bool:
    return len(secret) < UNMISTAKABLE and _WORD.fullmatch(secret) is not None


def _secrets_in(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            text = value.get_secret_value()
            yield text.rstrip("/").rpartition("/")[2] if "://" in text else text
        case BaseModel():
            for _, inner in value:
                yield from _secrets_in(inner)
        case tuple():
            for inner in value:
                yield from _secrets_in(inner)


@lru_cache(maxsize=8)
def _spellings(secrets: tuple[str, ...]) -> re.Pattern[str]:
    ways = [*map(_spelt, secrets), *(coded for secret in secrets for coded in _coded(secret)), *map(_cut, secrets)]
    return re.compile("|".join(ways), re.IGNORECASE)


def _spelt(secret: str) -> str:
    """The secret in every way it is written. Each further level of quoting doubles backslashes or adds a 25.

    Runs of backslashes that are part of it are taken whole or not at all, so that no text is slow to search.
    """
    parts = re.split(r"\\+", secret)
    beginning = "" if parts[0] else r"(?<!\\)"
    return beginning + _BACKSLASHES.join(_QUOTING.join(map(_character, part)) for part in parts)


def _cut(secret: str) -> str:
    """At least half of the secret from its beginning, and what follows of its characters."""
    least = max(UNMISTAKABLE, (len(secret) + 1) // 2)
    rest = "".join(map(re.escape, sorted(set(secret[least:]))))
    return re.escape(secret[:least]) + (f"[{rest}]{{0,{len(secret) - least}}}" if rest else "")


def _coded(secret: str) -> Iterator[str]:
    """The secret as hex, and as base64: in three ways, by how many octets stand before it, of which the characters at
    either end depend, so that they are left out.
    """
    octets = secret.encode("utf-8", "surrogatepass")
    yield octets.hex()
    for before in range(3):
        text = b64encode(bytes(before) + octets).decode("ascii")
        own = text[(before * 8 + 5) // 6 : (before + len(octets)) * 8 // 6]
        yield "".join(_BASE64.get(character, character) for character in own)


def _character(character: str) -> str:
    octets = [f"{octet:02x}" for octet in character.encode("utf-8", "surrogatepass")]
    units = re.findall("....", character.encode("utf-16-be", "surrogatepass").hex())
    spellings = (
        re.escape(character),
        _QUOTING.join(f"u{unit}" for unit in units),
        _QUOTING.join(f"x{octet}" for octet in octets),
        f"x{ord(character):02x}",
        f"U{ord(character):08x}",
        "%(?:25)*" if character == "%" else "".join(f"%(?:25)*+{octet}" for octet in octets),
    )
    return f"(?:{'|'.join(dict.fromkeys(spellings))})"
