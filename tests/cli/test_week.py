from __future__ import annotations

from dataclasses import replace

from slotbridge.cli.render.week import week_json, week_rows
from slotbridge.lenses.bitrix24 import own_terms
from slotbridge.lenses.items import Odd
from slotbridge.reconcile.model import Change
from slotbridge.week import Window

from .weeks import MONDAY, hours, link, look, slot, text

TUESDAY = Window(1, 540, 720)


def test_equal_sides_are_in_step_and_unmarked() -> None:
    shown = text(look([hours(540, 720)], [slot(1, 0, "09:00", "12:00")], [link()]))
    assert shown == [
        "dental: resource 15 and service 123, times in Europe/Berlin",
        "        Bitrix24                  ReserveKit",
        "   Mon  09:00–12:00, slotSize 30  09:00–12:00, max_bookings 6",
        "  in step",
    ]


def test_the_week_begins_on_monday_and_days_are_in_the_order_of_time() -> None:
    ranges = [hours(780, 840, "Sun", "Mon"), hours(540, 600, "Mon")]
    assert [str(row.row.bitrix24.window) for row in week_rows(look(ranges, [])) if row.row.bitrix24] == [
        "Mon 09:00–10:00",
        "Mon 13:00–14:00",
        "Sun 13:00–14:00",
    ]


def test_what_only_one_side_has_is_marked() -> None:
    base = [link(), link(TUESDAY, number=2)]
    shown = text(look([hours(540, 720)], [slot(1, 0, "09:00", "12:00"), slot(2, 1, "09:00", "12:00")], base))
    assert (
        " ≠ Tue  –                         09:00–12:00, max_bookings 6  only in ReserveKit: deleted in Bitrix24"
        in shown
    )
    assert shown[-1] == "  1 difference"


def test_different_hours_are_marked_with_what_was_agreed() -> None:
    shown = text(look([hours(480, 720)], [slot(1, 0, "09:00", "12:00")], [link()]))
    assert shown[2].startswith(" ≠ Mon  08:00–12:00, slotSize 30  09:00–12:00, max_bookings 6")
    assert shown[2].endswith("hours differ: hours edited in Bitrix24 (agreed: 09:00–12:00)")


def test_a_different_capacity_is_marked() -> None:
    shown = text(look([hours(540, 720, size=60)], [slot(1, 0, "09:00", "12:00")], [link()]))
    assert shown[2].endswith("capacity differs: slotSize edited in Bitrix24")


def test_C1_capacities_that_do_not_convert_are_no_difference_once_agreed() -> None:
    shown = text(look([hours(540, 720)], [slot(1, 0, "09:00", "12:00", 5)], [link(bookings=5)]))
    assert shown[-1] == "  in step"


def test_M3_held_rows_are_marked_and_the_hold_is_named() -> None:
    conflict = look([hours(480, 720)], [slot(1, 0, "10:00", "12:00")], [link()])
    shown = text(conflict)
    assert shown[2].startswith(" ! Mon")
    assert "hours differ, held: hours changed on both sides (agreed: 09:00–12:00)" in shown[2]
    (hold,) = conflict.plan.holds
    assert shown[3:6] == [
        "  1 difference, held",
        f"  held {hold.id}: hours changed on both sides",
        f"    to decide: slotbridge resolve {hold.id} --keep bitrix24  (once `slotbridge sync` has noted it)",
    ]


def test_held_among_other_differences_are_counted() -> None:
    base = [link(), link(TUESDAY, number=2)]
    slots = [slot(1, 0, "10:00", "12:00"), slot(2, 1, "09:00", "12:00")]
    shown = text(look([hours(480, 720), hours(540, 780, "Tue")], slots, base))
    assert "  2 differences, 1 held" in shown


def test_V7_what_cannot_be_represented_is_told() -> None:
    shown = text(look([hours(540, 720), Odd("{}", "from is missing")], [slot(1, 0, "09:00", "12:00")], [link()]))
    assert "  left as it is: Bitrix24, range 2: from is missing" in shown


def test_S5_a_row_that_is_kept_says_so() -> None:
    shown = text(look([Odd("{}", "from is missing")], [slot(1, 0, "09:00", "12:00")], [link()]))
    assert shown[2].startswith(" · Mon  –")
    assert "only in ReserveKit, kept: kept, since" in shown[2]


def test_V2_hours_in_another_zone_are_shown_in_both() -> None:
    shown = text(look([hours(480, 660, zone="Europe/London")], [slot(1, 0, "09:00", "12:00")], [link()]))
    assert "09:00–12:00, slotSize 30 (08:00–11:00 Europe/London)" in shown[2]


def test_no_hours_at_all() -> None:
    assert text(look([], []), picture=True)[1:] == ["  no hours on either side", "  in step"]


def test_the_picture_has_a_line_for_each_day_and_both_sides_in_it() -> None:
    week = look([hours(540, 720), hours(780, 840, "Tue")], [slot(1, 0, "10:00", "13:00")], [link()])
    head, monday, tuesday = text(week, picture=True)[1:4]
    assert head.split() == [f"{hour:02d}" for hour in range(6, 22)]
    assert monday == "   Mon ······▀▀████▄▄··················"
    assert tuesday == "   Tue ··············▀▀················"


def test_the_picture_grows_with_long_days() -> None:
    week = look([hours(0, 1440)], [], None)
    head, monday = text(week, picture=True)[1:3]
    assert head.split()[0] == "00"
    assert monday == "   Mon " + "▀" * 48


def test_what_a_broken_write_took_is_shown_as_set_again_and_not_as_deleted() -> None:
    back = Change("bitrix24", "create", None, own_terms(hours(540, 720)), "deleted by an update that was broken off")
    week = replace(look([hours(540, 720)], [slot(1, 0, "09:00", "12:00")], [link()]), restored=(back,))
    assert text(week)[-3:] == [
        "  not yet in Bitrix24 as shown; the next sync sets first:",
        "  Bitrix24   + Mon 09:00–12:00, slotSize 30, Europe/Berlin  (deleted by an update that was broken off)",
        "  in step, once that is done",
    ]
    assert [change["op"] for change in week_json(week)["restored"]] == ["create"]


def test_the_document_has_every_window_in_both_sides_own_terms() -> None:
    document = week_json(look([hours(480, 720)], [slot(1, 0, "09:00", "12:00")], [link()]))
    (window,) = document["windows"]
    assert document["version"] == 1
    assert (document["pair"], document["zone"], document["unsupported"]) == ("dental", "Europe/Berlin", [])
    assert (window["weekday"], window["start"], window["end"]) == (0, 480, 720)
    assert window["base"] == {**MONDAY._asdict(), "slotSize": 30, "max_bookings": 6}
    assert window["bitrix24"]["weekDays"] == ["Mon"]
    assert (window["reservekit"]["id"], window["reservekit"]["max_bookings"]) == (1, 6)
    assert window["reservekit"]["window"] == MONDAY._asdict()
    assert (window["state"], window["difference"]) == ("write", "hours differ")
    assert window["why"] == "hours edited in Bitrix24"


def test_the_document_names_holds() -> None:
    conflict = look([hours(480, 720)], [slot(1, 0, "10:00", "12:00")], [link()])
    document = week_json(conflict)
    assert [hold["id"] for hold in document["holds"]] == [hold.id for hold in conflict.plan.holds]
    assert [window["state"] for window in document["windows"]] == ["held"]


def test_the_document_names_unsupported_items() -> None:
    document = week_json(look([Odd("{}", "odd")], [slot(1, 0, "09:00", "12:00")], None))
    assert [hold["kind"] for hold in document["holds"]] == ["odd-range"]
    assert document["unsupported"] == [{"side": "bitrix24", "item": "range 1", "reason": "odd"}]
    (window,) = document["windows"]
    assert (window["bitrix24"], window["base"]) == (None, None)
