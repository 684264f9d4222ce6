"""The first sync of a pair, and every new agreement (M6, M12, S9): copy, link, or wait for a policy."""

from __future__ import annotations

from collections.abc import Sequence

from slotbridge.lenses.terms import View
from slotbridge.reconcile.merge import row_fingerprint
from slotbridge.reconcile.model import NAMES, SIDES, FirstSync, HoldKind, Options, Row, Side, as_side, fingerprint


def first_sync(rows: Sequence[Row], views: dict[Side, View], options: Options) -> FirstSync:
    """One side empty: copied. Equal: linked. Else as the policy says, which may be to wait."""
    source = options.source
    empty = [side for side in SIDES if not views[side].windows]
    if len(empty) == 1 and source != empty[0] and options.misread is None:
        return FirstSync(None)
    if all(row.bitrix24 and row.reservekit and row.bitrix24.window == row.reservekit.window for row in rows):
        return FirstSync(source)
    if options.objection is None and _is_broken_off(rows, options):
        return FirstSync(source)
    policy = _policy(rows, options)
    if policy == "hold":
        kind: HoldKind = "agreement" if options.objection else "first-sync"
        return FirstSync(source, kind, options.objection or "the two sides differ, and nothing says which is right")
    if policy == "merge":
        if source is not None and any(row.seen(source) is None or _differs(row) for row in rows):
            # M7 would delete or overwrite it, which is not what a person means by merging.
            return FirstSync(source, "first-sync", f"the pair follows {NAMES[source]}, so the two cannot be merged")
        return FirstSync(source)
    if source is not None and policy != source:
        return FirstSync(source, "first-sync", f"the pair follows {NAMES[source]}, so {policy} cannot be kept")
    return FirstSync(as_side(policy))


def _is_broken_off(rows: Sequence[Row], options: Options) -> bool:
    """Whether ReserveKit has nothing but a part of a copy that an earlier run had begun (W4)."""
    there = [(row, row.reservekit.window) for row in rows if row.reservekit is not None]
    return bool(there) and all(
        window in options.pending and row.bitrix24 and not _differs(row) for row, window in there
    )


def _policy(rows: Sequence[Row], options: Options) -> str:
    """A person's decision about exactly this difference, else what this run or the configuration says.

    After a change of terms, or where times are misread, the configured policy does not count: nobody has looked at this
    difference yet (M12).
    """
    changed = [row for row in rows if row.bitrix24 is None or row.reservekit is None or _differs(row)]
    shown = fingerprint(*map(row_fingerprint, changed)) if len(changed) > 1 else row_fingerprint(changed[0])
    decision = options.decisions.get(shown)
    if decision in ("merge", *SIDES):
        return decision or "hold"
    return "hold" if options.objection and not options.insisted else options.initial


def _differs(row: Row) -> bool:
    return row.bitrix24 is not None and row.reservekit is not None and row.bitrix24.window != row.reservekit.window
