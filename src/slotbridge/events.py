"""The events that are logged, and what each says. A name that is not here is not used (a test compares)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bitrix24.operating_time": "a method has used up so much of the portal's time that no write begins with it now",
        "bitrix24.portal_moved": "the portal answers at another address than the configured one",
        "budget.advice": "what the configured intervals will cost in a month, and which would fit the plan",
        "budget.reserve": "until the month turns ReserveKit is asked only for changes, which Bitrix24 is looked at for",
        "budget.resumed": "the month has turned, and polling goes on",
        "daemon.started": "the daemon works from now on",
        "daemon.stopped": "the daemon has ended its work",
        "daemon.stopping": "the daemon begins nothing new, and ends what is under way",
        "drain.overrun": "what was under way did not end within the drain time, and was cut off",
        "endpoint.listening": "health, metrics and notifications are served at this address",
        "hold.began": "a change waits for a person from now on",
        "hold.ended": "a hold is gone: decided, or its cause is",
        "hook.refused": "a notification was refused for its token; said again only after one was accepted",
        "lock.lost": "the lock file was deleted or replaced: nothing is begun before the lock is held again",
        "lock.regained": "the lock is held again, by way of the file that is there now",
        "look.failed": "Bitrix24 could not be asked whether a notification is news; the next turn will tell",
        "pair.bug": "a pair failed for a mistake in this program",
        "pair.failed": "a pair failed in this run; the others went on",
        "pair.recovered": "a stale pair has succeeded again",
        "pair.stale": "a pair's last success is longer ago than its interval allows",
        "resource_type.failed": "what a resource type shall be like could not be sent",
        "run.bug": "a run failed for a mistake in this program; its pairs are tried again later",
        "run.failed": "a run failed as a whole, for an error that no pair of it is to blame for",
        "run.finished": "a run is over: how its pairs ended, and the requests that it took",
        "side.down": "a whole side does not answer: one pair probes it, the others wait",
        "side.up": "the side answers again, and all pairs run",
        "store.failed": "the database cannot be used: nothing is written anywhere until it can be",
        "store.recovered": "the database can be used again",
        "ticks.stopped": "the scheduler had fallen silent, and was set going again",
    }
)
