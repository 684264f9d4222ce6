"""`holds` and `resolve`: what waits for a person, and what the person decides (G6, S11). Neither service is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.decisions import APPROVE, KEEP, Counsel, ways_out
from slotbridge.cli.render.holds import decided_json, decided_lines, holds_json, holds_lines
from slotbridge.cli.sync import remembered
from slotbridge.errors import SIDE_NAMES, ConfigurationError, Side
from slotbridge.reconcile.model import Hold
from slotbridge.settings import Settings
from slotbridge.store import Decision, HoldRecord, Store
from slotbridge.store.holder import holder_of, is_daemon

_UNNOTED = "A dry run only shows a hold; `slotbridge sync` notes it"


def show_holds(invocation: Invocation) -> int:
    """Lists the open holds of the configured pairs."""
    settings = invocation.settings()
    records = asyncio.run(_open_holds(invocation, settings))
    if invocation.as_json:
        invocation.emit(holds_json(records, invocation.counsel(settings)))
    else:
        invocation.say(holds_lines(records, invocation.clock.now(), invocation.counsel(settings)))
    return 0


def decide_hold(invocation: Invocation, name: str, keep: Side | None, *, approve: bool) -> int:
    """Notes a decision about the one open hold whose id begins with `name`; the next run applies it.

    Raises ConfigurationError where there is no such hold, or it cannot be decided like this.
    """
    decision = _decision(keep, approve=approve)
    settings = invocation.settings()
    found = named(name, asyncio.run(_open_holds(invocation, settings)))
    counsel = invocation.counsel(settings)
    _check(found.hold, decision, counsel)
    decided = _decide(invocation, settings, found, decision)
    daemon = is_daemon(holder_of(settings.store.url))
    if invocation.as_json:
        invocation.emit(decided_json(decided, counsel, daemon=daemon))
    else:
        invocation.say(decided_lines(decided, found.decision, counsel, daemon=daemon))
    return 0


async def _open_holds(invocation: Invocation, settings: Settings) -> list[HoldRecord]:
    async with remembered(invocation, settings) as store:
        return store.holds([pair.name for pair in settings.pairs]) if store else []


def _decision(keep: Side | None, *, approve: bool) -> Decision:
    if (keep is None) != approve:
        hint = "Add exactly one of --keep bitrix24, --keep reservekit and --approve"
        raise ConfigurationError("a hold is decided in exactly one way", hint=hint)
    return keep or "approve"


def named(name: str, records: Sequence[HoldRecord]) -> HoldRecord:
    """The hold of that id, or of the only id that begins so. Raises ConfigurationError if it is not exactly one."""
    matching = [record for record in records if name and record.hold.id.startswith(name.lower())]
    if len(matching) == 1:
        return matching[0]
    known = tuple(f"{hold.id}: {hold.pair}, {hold.kind}, {hold.reason}" for hold in (r.hold for r in records))
    if not known:
        raise ConfigurationError(
            f'no hold "{name}" is open, and no other', hint=f"There is nothing to decide. {_UNNOTED}"
        )
    what = f'"{name}" is the beginning of {len(matching)} holds' if matching else f'no hold "{name}" is open'
    raise ConfigurationError(
        what, problems=known, hint=f"`slotbridge holds` shows each with what decides it. {_UNNOTED}"
    )


def _check(hold: Hold, decision: Decision, counsel: Counsel) -> None:
    """Raises ConfigurationError for a decision that this kind of hold cannot be given."""
    what = f"hold {hold.id} of {hold.pair} ({hold.kind})"
    ways = f"What ends it: {'; '.join(ways_out(hold, counsel))}"
    if hold.kind not in KEEP + APPROVE:
        raise ConfigurationError(f"{what} cannot be decided", hint=ways)
    if (decision == "approve") != (hold.kind in APPROVE):
        option = "--approve" if decision == "approve" else f"--keep {decision}"
        raise ConfigurationError(f"{what} is not decided by {option}", hint=ways)
    followed = counsel.followed.get(hold.pair)
    if hold.kind in KEEP and followed not in (None, decision):
        hint = f'Decide it by --keep {followed}, or let the pair go both ways: direction = "both"'
        raise ConfigurationError(f"{what}: the pair follows {SIDE_NAMES[followed]} in everything", hint=hint)


def _decide(invocation: Invocation, settings: Settings, record: HoldRecord, decision: Decision) -> HoldRecord:
    """Needs no lock of ours: it is one transaction, and a run that is under way has read its decisions already."""
    store = Store.open(settings.store.url, clock=invocation.clock)
    try:
        if store.decide(record.hold.id, decision) is None:
            hint = "`slotbridge holds` shows what is open now"
            raise ConfigurationError(f"hold {record.hold.id} of {record.hold.pair} has just ended", hint=hint)
    finally:
        store.close()
    return replace(record, decision=decision, decided_at=invocation.clock.now())
