"""Room on the disk. What was written to the two services has to be remembered, so it is asked for beforehand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from slotbridge.errors import StoreError

ROOM: Final = 8 * 2**20
"""Bytes that have to be free before a run: more than the write-ahead log and the rows of a very large run need."""


def free_beside(file: Path) -> int:
    """The free bytes on the disk that a database is on. Raises StoreError where its folder cannot be looked at."""
    try:
        return shutil.disk_usage(file.parent).free
    except OSError as error:
        hint = "It has to be a file in a folder that exists and that slotbridge may write"
        raise StoreError(
            f"the database's folder cannot be used ({error.strerror})", item=str(file), hint=hint
        ) from error


def require_room(file: Path, *, free: Callable[[Path], int] = free_beside) -> None:
    """Raises StoreError where a run might not be remembered for want of space."""
    if (left := free(file)) < ROOM:
        hint = f"Free some: {size_words(ROOM)} are needed. Nothing is written to either service until then"
        raise StoreError(f"the disk is full: {size_words(left)} are left", item=str(file), hint=hint)


def size_words(size: int) -> str:
    """`3.4 MB`, of so many bytes; in the unit that suits."""
    for unit, worth in (("GB", 1e9), ("MB", 1e6)):
        if size >= worth:
            return f"{size / worth:,.1f} {unit}"
    return f"{size / 1e3:,.0f} kB"
