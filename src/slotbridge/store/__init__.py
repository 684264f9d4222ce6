"""What slotbridge remembers, in one SQLite file: bases, decisions, holds, history; and the lock on it."""

from slotbridge.store.lock import DatabaseLock
from slotbridge.store.records import (
    ChangeRecord,
    Decision,
    HoldRecord,
    HoldsMoved,
    Intent,
    Memory,
    Outcome,
    Rescue,
    RunRecord,
    Status,
)
from slotbridge.store.store import Store

__all__ = [
    "ChangeRecord",
    "DatabaseLock",
    "Decision",
    "HoldRecord",
    "HoldsMoved",
    "Intent",
    "Memory",
    "Outcome",
    "Rescue",
    "RunRecord",
    "Status",
    "Store",
]
