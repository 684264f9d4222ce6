"""The decisive function: base and both sides' items in, a plan out. Pure and total; every command calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from slotbridge.lenses import bitrix24 as ranges
from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.terms import ItemChange, Key, Problem, Rewrite, Terms, View, Wanted
from slotbridge.reconcile import guards, undo
from slotbridge.reconcile.align import align
from slotbridge.reconcile.first import first_sync
from slotbridge.reconcile.merge import decide, restore, row_fingerprint
from slotbridge.reconcile.misread import misread
from slotbridge.reconcile.model import (
    SIDES,
    Change,
    FirstSync,
    HoldKind,
    Link,
    Options,
    Plan,
    Row,
    Side,
    Snapshot,
    Value,
    Verdict,
    as_side,
    fingerprint,
)
from slotbridge.reconcile.oscillation import oscillation
from slotbridge.reconcile.unread import hold_behind, hold_unread_creations, may_still_stand


def plan(base: Sequence[Link] | None, snapshot: Snapshot, terms: Terms, options: Options) -> Plan:
    """What a sync would do to one pair. `base` is None when there is none yet, or none any more (M6, M12)."""
    views = {
        "bitrix24": ranges.view(snapshot.bitrix24, terms),
        "reservekit": slots.view(snapshot.reservekit, terms),
    }
    if options.target is None:
        options = replace(options, misread=misread(snapshot.reservekit, options.unseen, base or (), terms))
    return _Planning(base, snapshot, views, terms, options).plan()  # type: ignore[arg-type]


class _Planning:
    """One pair being planned."""

    def __init__(
        self,
        base: Sequence[Link] | None,
        snapshot: Snapshot,
        views: dict[Side, View],
        terms: Terms,
        options: Options,
    ) -> None:
        self.first = (base is None or options.objection is not None) and options.target is None
        self.links = () if base is None or self.first else tuple(base)
        self.snapshot = snapshot
        self.views = views
        self.terms = terms
        self.options = options

    def plan(self) -> Plan:
        known = self.links if self.options.target is None else self.options.target
        rows = align(known, self.views["bitrix24"].windows, self.views["reservekit"].windows, self.options.pending)
        first = self._treated(rows)
        verdicts = self._verdicts(rows, first.source)
        if all(verdict.state == "same" for verdict in verdicts):
            return self._quiet(verdicts)
        if first.hold is not None:
            verdicts, holds = guards.hold_everything(verdicts, first.hold, first.reason, self.options)
            return self._finished(verdicts, holds, agreed=False)
        if self.options.target is not None:
            verdicts, holds = undo.hold_unsaved(verdicts, self.links, self.options)
            if holds:
                return self._finished(verdicts, holds, agreed=False)
        verdicts, holds = guards.passed(
            verdicts,
            lambda v: guards.hold_conflicts(v, self.options),
            lambda v: guards.hold_duplicates(v, self.options),
            lambda v: guards.hold_booked(v, self.options),
            lambda v: guards.hold_deletions(v, self.links, self.views, self.options),
            lambda v: guards.hold_frozen(v, self._frozen(), self.options),
            self._hold_oscillation,
            lambda v: hold_unread_creations(v, self.views, self.options),
            lambda v: hold_behind(v, self.views, self.options),
            lambda v: guards.keep_decisions(v, self.options),
        )
        if self.options.target is not None:
            verdicts = undo.as_agreed_now(verdicts, self.links)
        if not self.first or self.options.source is not None:
            verdicts = [verdict._replace(expected=False) if verdict.expected else verdict for verdict in verdicts]
        unsettled = any(hold.kind in ("odd-range", "read-only", "oscillation") for hold in holds)
        plan = self._finished(verdicts, holds, agreed=not (self.first and unsettled))
        return replace(plan, first=first) if self.first else plan

    def _treated(self, rows: Sequence[Row]) -> FirstSync:
        """Which side is followed, or why the pair waits."""
        if self.options.target is not None and self.options.disagreement is not None:
            return FirstSync(self.options.source, "agreement", self.options.disagreement)
        if not self.first:
            return FirstSync(self.options.source)
        return self.options.underway or first_sync(rows, self.views, self.options)

    def _quiet(self, verdicts: Sequence[Verdict]) -> Plan:
        """Nothing to write and nothing to hold: what nearly every run of nearly every pair comes to."""
        one, two = Rewrite(self.snapshot.bitrix24, ()), Rewrite(self.snapshot.reservekit, ())
        problems: Mapping[Side, tuple[Problem, ...]] = {side: view.problems for side, view in self.views.items()}
        return Plan(tuple(verdicts), one, two, (), (), problems, self.terms)

    def _verdicts(self, rows: Sequence[Row], source: Side | None) -> list[Verdict]:
        groups = self._decided_groups(rows) if source is None else {}
        verdicts = []
        for row in rows:
            if self.options.target is not None:
                verdicts.append(restore(row, self.options))
            elif may_still_stand(row, self.views):
                why = "kept, since an item that cannot be read may stand for it"
                verdicts.append(Verdict(row, *self._as_seen(row), why, "kept"))
            elif row.group in groups:
                winner, decided = groups[row.group]
                verdict = decide(row, self.options, winner)
                verdicts.append(verdict if not decided else _as_decided(verdict))
            else:
                verdicts.append(decide(row, self.options, source))
        return verdicts

    def _decided_groups(self, rows: Sequence[Row]) -> dict[int | None, tuple[Side, bool]]:
        """The first-time conflicts that the policy or a person has decided, with the winner (M3, S2)."""
        members: dict[int, list[str]] = {}
        for row in rows:
            if row.group is not None:
                members.setdefault(row.group, []).append(row_fingerprint(row))
        winners: dict[int | None, tuple[Side, bool]] = {}
        for group, prints in members.items():
            shown = prints[0] if len(prints) == 1 else fingerprint(*prints)
            decision = as_side(self.options.decisions.get(shown))
            if winner := decision or as_side(self.options.conflict):
                winners[group] = (winner, decision is not None)
        return winners

    def _as_seen(self, row: Row) -> tuple[Value | None, Value | None]:
        one, two = row.bitrix24, row.reservekit
        return one and Value(one.window, one.capacity), two and Value(two.window, two.capacity)

    def _frozen(self) -> dict[Side, tuple[HoldKind, str]]:
        frozen: dict[Side, tuple[HoldKind, str]] = {
            side: ("read-only", reason) for side, reason in self.options.frozen.items()
        }
        if self.views["bitrix24"].problems and (refusal := ranges.refused(self.snapshot.bitrix24)):
            frozen["bitrix24"] = ("odd-range", f"Bitrix24 would refuse to take back {refusal}")
        return frozen

    def _hold_oscillation(self, verdicts: list[Verdict]) -> guards.Guarded:
        reason = oscillation(verdicts, self.options.streaks) if self.options.streaks else None
        if reason is None:
            return verdicts, []
        kept, holds = guards.hold_everything(verdicts, "oscillation", reason, self.options)
        if holds and self.options.decisions.get(holds[0].fingerprint) == "approve":
            return verdicts, []
        return kept, holds

    def _finished(self, verdicts: Sequence[Verdict], holds: Sequence[Any], *, agreed: bool) -> Plan:
        one: Rewrite[Any] = self._rewrite("bitrix24", verdicts)
        two: Rewrite[Any] = self._rewrite("reservekit", verdicts)
        reasons = _Reasons(verdicts)
        changes = tuple(
            reasons.change(side, item)
            for side, made in (("bitrix24", one), ("reservekit", two))
            for item in made.changes
        )
        problems: Mapping[Side, tuple[Problem, ...]] = {side: view.problems for side, view in self.views.items()}
        return Plan(tuple(verdicts), one, two, changes, tuple(holds), problems, self.terms, agreed)

    def _rewrite(self, side: Side, verdicts: Sequence[Verdict]) -> Rewrite[Any]:
        items = self.snapshot.bitrix24 if side == "bitrix24" else self.snapshot.reservekit
        if not any(verdict.writes(side) for verdict in verdicts):
            return Rewrite(items, ())
        put: Any = ranges.put if side == "bitrix24" else slots.put
        rewrite: Rewrite[Any] = put(items, wanted_of(side, verdicts), self.terms)
        return rewrite


def wanted_of(side: Side, verdicts: Sequence[Verdict]) -> list[Wanted]:
    """What a side should show, in the order of the verdicts."""
    wanted = []
    for verdict in verdicts:
        want, seen = verdict.want(side), verdict.row.seen(side)
        if want is not None:
            wanted.append(Wanted(want.window, want.capacity, seen.key if seen else None))
    return wanted


def _as_decided(verdict: Verdict) -> Verdict:
    return verdict._replace(why=f"{verdict.why}, as decided", decided=True)


class _Reasons:
    """Why an item changes: the reasons of the windows that leave it and of those that come in."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self.by_place: dict[Side, list[str]] = {
            side: [v.why if v.writes(side) else "" for v in verdicts if v.want(side) is not None] for side in SIDES
        }
        self.by_key: dict[tuple[Side, Key], str] = {
            (side, seen.key): verdict.why
            for verdict in verdicts
            for side in SIDES
            if (seen := verdict.row.seen(side)) is not None and verdict.writes(side)
        }

    def change(self, side: Any, item: ItemChange[Any]) -> Change:
        terms: Any = ranges.own_terms if side == "bitrix24" else slots.own_terms
        said = [self.by_key.get((side, key), "") for key in item.left]
        said += [self.by_place[side][place] for place in item.gained]
        why = "; ".join(dict.fromkeys(reason for reason in said if reason)) or "equal hours are one range"
        before = None if item.before is None else terms(item.before)
        after = None if item.after is None else terms(item.after)
        return Change(side, "create" if before is None else "update" if after else "delete", before, after, why)
