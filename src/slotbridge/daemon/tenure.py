"""Being the only one that works on the database: the lock is lost where somebody deletes or replaces its file."""

from __future__ import annotations

import structlog

from slotbridge.clock import Clock
from slotbridge.errors import LockHeld, StoreError
from slotbridge.store import DatabaseLock

log = structlog.get_logger("slotbridge.daemon")


class Tenure:
    """The lock, looked after for as long as the daemon lives. None is one that needs no looking after."""

    def __init__(self, lock: DatabaseLock | None, clock: Clock) -> None:
        self._lock = lock
        self._clock = clock
        self._told = False

    def is_lost(self) -> bool:
        """Whether somebody else could work on the database now."""
        return self._lock is not None and not self._lock.is_ours()

    def keep(self) -> bool:
        """Whether the lock is ours, or is again: one that was lost is taken where nobody else has it by now."""
        if self._lock is None or not (self._told or self.is_lost()):
            return True
        refusal = self._taken(self._lock)
        if not self._told:
            log.error("lock.lost", file=str(self._lock.file), error=str(refusal) if refusal else None)
        if refusal is None:
            log.info("lock.regained")
        self._told = refusal is not None
        return refusal is None

    def _taken(self, lock: DatabaseLock) -> LockHeld | StoreError | None:
        try:
            lock.take(self._clock.now())
        except (LockHeld, StoreError) as error:
            return error
        return None
