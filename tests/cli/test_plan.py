from __future__ import annotations

from typing import Any

from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.plan import hold_item_words, run_lines, summary
from slotbridge.errors import AccessRefused, NotFound
from slotbridge.lenses.terms import Problem
from slotbridge.reconcile.model import Overruled, Value
from slotbridge.sync.report import PairReport, RunReport

from .weeks import MONDAY, hold, hours, link, look, slot


def lines(*pairs: PairReport, dry_run: bool = False, day_zero: Any = "monday") -> list[str]:
    report = RunReport(dry_run, pairs, {"bitrix24": 1, "reservekit": 5})
    return [line.plain for line in run_lines(report, day_zero, Counsel())]


def changed() -> PairReport:
    plan = look([hours(480, 720)], [slot(1, 0, "09:00", "12:00")], [link()]).plan
    return PairReport("dental", plan.changes)


def test_a_quiet_run_is_one_line() -> None:
    assert lines(PairReport("a"), PairReport("b")) == ["2 pairs: 2 quiet. Requests: Bitrix24 1, ReserveKit 5."]


def test_a_change_says_where_what_and_why() -> None:
    assert lines(changed()) == [
        "dental: changed",
        "  ReserveKit ~ time slot 1: Mon 09:00–12:00, max_bookings 6 → Mon 08:00–12:00, max_bookings 8"
        "  (hours edited in Bitrix24)",
        "",
        "1 pair: 1 changed. Requests: Bitrix24 1, ReserveKit 5.",
    ]


def test_creations_and_deletions_have_their_signs() -> None:
    plan = look([hours(600, 660, "Tue")], [slot(1, 0, "09:00", "12:00")], [link()]).plan
    assert lines(PairReport("dental", plan.changes))[1:3] == [
        "  ReserveKit - time slot 1: Mon 09:00–12:00, max_bookings 6  (deleted in Bitrix24)",
        "  ReserveKit + Tue 10:00–11:00, max_bookings 2  (new in Bitrix24)",
    ]


def test_W8_a_dry_run_says_what_would_happen_and_that_nothing_did() -> None:
    shown = lines(changed(), PairReport("b"), dry_run=True)
    assert shown[0] == "dental: would change"
    assert shown[-1] == (
        "2 pairs: 1 would change, 1 quiet. Requests: Bitrix24 1, ReserveKit 5. Dry run: nothing was written."
    )


def test_the_worst_is_counted_first() -> None:
    pairs = (PairReport("a"), PairReport("b", holds=(hold("booked"),)), PairReport("c", error=NotFound("gone")))
    report = RunReport(False, pairs, {"bitrix24": 0, "reservekit": 0})
    assert summary(report).startswith("3 pairs: 1 failed, 1 held, 1 quiet.")


def test_a_hold_shows_what_each_side_has_and_how_to_decide() -> None:
    plan = look([hours(480, 720)], [slot(1, 0, "10:00", "12:00")], [link()]).plan
    (waiting,) = plan.holds
    assert lines(PairReport("dental", holds=plan.holds))[:6] == [
        "dental: held",
        f"  held {waiting.id}: hours changed on both sides",
        "    Bitrix24 Mon 08:00–12:00, slotSize 30 · ReserveKit Mon 10:00–12:00, max_bookings 6; "
        "agreed Mon 09:00–12:00",
        f"    to decide: slotbridge resolve {waiting.id} --keep bitrix24",
        f"               slotbridge resolve {waiting.id} --keep reservekit",
        "               or make both sides agree; the hold then ends by itself",
    ]


def test_G1_what_would_be_deleted_is_named() -> None:
    (waiting,) = look([], [slot(1, 0, "09:00", "12:00")], [link()]).plan.holds
    assert hold_item_words(waiting.items[0]) == (
        "Bitrix24 nothing · ReserveKit Mon 09:00–12:00, max_bookings 6; agreed Mon 09:00–12:00; "
        "would be deleted in ReserveKit"
    )


def test_M6_a_first_sync_shows_what_each_side_would_get() -> None:
    plan = look([hours(480, 720), hours(780, 840, "Tue", size=20)], [slot(1, 0, "09:00", "12:00")]).plan
    shown = [hold_item_words(item) for waiting in plan.holds for item in waiting.items]
    assert any(words.endswith("ReserveKit would get Tue 13:00–14:00, max_bookings 3") for words in shown)


def test_a_long_hold_is_cut() -> None:
    waiting = hold("deletions", *[{"bitrix24": f"window {n}"} for n in range(20)])
    shown = lines(PairReport("dental", holds=(waiting,)))
    assert "    … and 8 more; --json lists all" in shown
    assert sum("window" in line for line in shown) == 12


def test_S5_an_unsupported_item_of_a_quiet_pair_is_told() -> None:
    problem = Problem("range 2 (Mon)", "weekday 'Fun\x1b' is unknown", frozenset())
    assert lines(PairReport("dental", problems={"bitrix24": (problem,)}))[:2] == [
        "dental: in step",
        "  left as it is: Bitrix24, range 2 (Mon): weekday 'Fun�' is unknown",
    ]


def test_a_failure_says_where_and_what_next() -> None:
    error = NotFound("does not exist", side="reservekit", pair="dental", item="service 9", hint="Check service_id")
    assert lines(PairReport("dental", error=error))[:3] == [
        "dental: failed",
        "  error: ReserveKit, service 9: does not exist",
        "  Check service_id",
    ]


def test_M3_what_is_overruled_is_told_in_full() -> None:
    lost = Overruled("reservekit", Value(MONDAY, 6), "Bitrix24 wins")
    gone = Overruled("bitrix24", None, "its deletion loses")
    shown = lines(PairReport("dental", changed().changes, overruled=(lost, gone)))
    assert "  overruled: ReserveKit's Mon 09:00–12:00, max_bookings 6: Bitrix24 wins" in shown
    assert "  overruled: Bitrix24: its deletion loses" in shown


def test_sides_that_were_equal_at_the_first_sync_are_told() -> None:
    assert lines(PairReport("dental", linked=True))[0] == (
        "dental: equal on both sides, nothing to write; remembered as agreed"
    )


def test_V6_the_day_of_a_slot_follows_the_setting() -> None:
    assert "Sun 09:00–12:00" in lines(changed(), day_zero="sunday")[1]


def test_pairs_that_failed_for_one_reason_are_told_once() -> None:
    def refused(item: str) -> AccessRefused:
        return AccessRefused("the key is refused", side="reservekit", item=item, hint="Make a new one")

    pairs = [PairReport(name, error=refused(name)) for name in "abcdefgh"]
    assert lines(*pairs, PairReport("z", error=NotFound("gone")))[:5] == [
        "a, b, c, d, e, f and 2 more: failed, all 8 alike",
        "  error: ReserveKit, a: the key is refused",
        "  Make a new one",
        "",
        "z: failed",
    ]
