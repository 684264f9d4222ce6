"""What came in between our reading of a resource and our set, as far as it may be put back (W2, G1, G2, S5)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from slotbridge.bitrix24 import SlotsWritten
from slotbridge.errors import ApiError
from slotbridge.lenses.bitrix24 import refused
from slotbridge.lenses.items import Ranges
from slotbridge.reconcile.rebase import distance, with_all_of
from slotbridge.sync.evidence import wished
from slotbridge.sync.planning import Planner
from slotbridge.sync.work import Work


def wish_of(
    planner: Planner, work: Work, written: SlotsWritten, meant: Ranges, *, seen: Ranges, left: Ranges | None
) -> Ranges:
    """What somebody wants who edited what we had `seen` before our set of `meant`; `left` is that of `wished`.

    An edit is put back as it was made, even if it deletes everything: ReserveKit's hours are kept by the guards then.
    But where the set was not answered as documented, the list before it may as well lack what is there. So what is
    gone is not taken away once more where a guard keeps deletions back: our set has put it there again. Ranges that
    Bitrix24 would refuse are not written, and nothing is written over them.
    """
    if refusal := refused(written.after):
        work.keep_aside(refusal)
        return written.after
    if refusal := refused(written.before):
        work.keep_aside(refusal)
        # It may stand for hours that are missing beside it.
        written = replace(written, before=with_all_of(seen, _taken_back(written.before)))
    wish, whole = wished(written, left, meant), with_all_of(seen, written.before)
    if written.sound or Counter(whole) == Counter(written.before):
        return wish
    if written.before and not planner.holds_deletions(work, wish):
        return wish
    work.unheeded = _unheeded(distance(whole, written.before))
    return wished(replace(written, before=whole), left, meant)


def _taken_back(ranges: Ranges) -> Ranges:
    return tuple(item for item in ranges if refused((item,)) is None)


def _unheeded(windows: int) -> ApiError:
    what = f"right before its hours were set, {windows} of them were missing there, which looks like an accident"
    hint = "They are there again: if somebody wished them away, they have to be deleted once more"
    return ApiError(what, side="bitrix24", hint=hint)
