"""What slotbridge remembers, in one SQLite file: bases, decisions, holds, history; and the lock on it."""

from slotbridge.store.lock import DatabaseLock
from slotbridge.store.records import ChangeRecord, HoldRecord, HoldsMoved, Intent, Memory, Outcome, RunRecord
from slotbridge.store.store import Store

__all__ = [
    "ChangeRecord",
    "DatabaseLock",
    "HoldRecord",
    "HoldsMoved",
    "Intent",
    "Memory",
    "Outcome",
    "RunRecord",
    "Store",
]
