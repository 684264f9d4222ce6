"""Commands, and which of a batch may be sent a second time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One REST method with its parameters. `write` says that it changes something at the portal.

    Commands with the same `item` are about the same thing: in a batch they stay in their order and together.
    """

    method: str
    parameters: Mapping[str, object]
    item: str
    write: bool = False


def to_repeat(commands: Sequence[Command], part: Collection[int], refused: Collection[int]) -> set[int]:
    """Which commands of `part` to send again, when those in `refused` were not executed and all others were, or may be.

    Nothing that stands before an executed write about the same thing is sent again: it would be out of turn. Where a
    write is, the reads around it are, too: what they answered is about a time that is over.
    """
    repeated: set[int] = set()
    for item in {commands[index].item for index in part}:
        about = [index for index in part if commands[index].item == item]
        done = max((index for index in about if commands[index].write and index not in refused), default=-1)
        rest = [index for index in about if index > done]
        writing = any(commands[index].write for index in rest)
        repeated.update(index for index in rest if writing or index in refused)
    return repeated


def with_company(commands: Sequence[Command], blocked: Collection[int]) -> set[int]:
    """The blocked commands, and every other one about a thing that is written: it is done as a whole, or not at all."""
    written = {command.item for command in commands if command.write}
    stuck = written & {commands[index].item for index in blocked}
    return {index for index, command in enumerate(commands) if index in blocked or command.item in stuck}
