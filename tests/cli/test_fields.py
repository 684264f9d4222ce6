"""Names and resource types in the plan and in the history."""

from __future__ import annotations

from datetime import UTC, datetime

from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.history import History, history_lines, undo_lines
from slotbridge.cli.render.plan import change_line, run_lines
from slotbridge.errors import Rejected
from slotbridge.reconcile.model import Change
from slotbridge.reconcile.names import LostName
from slotbridge.store import ChangeRecord
from slotbridge.sync.report import PairReport, RunReport, TypeReport

NOW = datetime(2026, 5, 14, 9, tzinfo=UTC)
RENAMED = Change(
    "reservekit",
    "update",
    {"name": "Dr. B", "description": ""},
    {"name": "Dr. A", "description": "Dentist\x1b[2J"},
    "edited in Bitrix24",
)
LOST = LostName("reservekit", {"name": "Dr. B"}, "edited in ReserveKit, but Bitrix24 leads names")
DECLARED = Change(
    "bitrix24", "update", {"isReminderNotificationOn": True}, {"isReminderNotificationOn": False}, "declared"
)


def told(report: RunReport) -> str:
    return "\n".join(line.plain for line in run_lines(report, "monday", Counsel()))


def test_a_renaming_is_told_field_by_field() -> None:
    line = change_line(RENAMED, "monday").plain
    assert 'ReserveKit ~ name "Dr. B" → "Dr. A", description "" → "Dentist�[2J"  (edited in Bitrix24)' in line


def test_a_long_text_is_cut_in_the_plan() -> None:
    change = Change("reservekit", "update", {"description": ""}, {"description": "x" * 200}, "edited in Bitrix24")
    assert f'"{"x" * 60}…"' in change_line(change, "monday").plain


def test_the_plan_tells_the_name_that_was_overruled() -> None:
    text = told(RunReport(False, (PairReport("dental", (RENAMED,), overruled=(LOST,)),), {}))
    assert """overruled: ReserveKit's name "Dr. B": edited in ReserveKit, but Bitrix24 leads names""" in text


def test_resource_types_have_blocks_of_their_own_and_quiet_ones_none() -> None:
    refused = Rejected("no", side="bitrix24", item="resource type 2", hint="Choose a code")
    kinds = (TypeReport(1, (DECLARED,)), TypeReport(2, error=refused), TypeReport(3))
    text = told(RunReport(True, (), {}, kinds))
    assert "resource type 1: would change\n  Bitrix24   ~ isReminderNotificationOn on → off  (declared)" in text
    assert "resource type 2: failed\n  error: Bitrix24, resource type 2: no\n  Choose a code" in text
    assert "resource type 3" not in text


def test_the_history_shows_names_and_what_was_overruled() -> None:
    records = [
        ChangeRecord(2, 1, "dental", NOW, "reservekit", "update", LOST.fields, None, LOST.why, "overruled"),
        ChangeRecord(1, 1, "dental", NOW, "reservekit", "update", RENAMED.before, RENAMED.after, "why", "applied"),
    ]
    text = "\n".join(line.plain for line in history_lines(History(records, {}), NOW, "monday"))
    assert 'name "Dr. B" → "Dr. A"' in text
    assert """overruled: ReserveKit's name "Dr. B": edited""" in text


LISTED = {"booking": 7, "date": "2026-05-18"}
CANCELLED = LISTED | {"status": "cancelled"}


def undone(report: RunReport, *done: ChangeRecord) -> list[str]:
    return [line.plain for line in undo_lines(report, 3, (), "monday", Counsel(), done)]


def test_an_undo_says_that_names_stay_and_so_do_customers_on_the_wait_list() -> None:
    renamed = ChangeRecord(1, 3, "dental", NOW, "reservekit", "update", RENAMED.before, RENAMED.after, "", "applied")
    listed = ChangeRecord(2, 3, "dental", NOW, "bitrix24", "create", None, LISTED, "", "applied")
    nothing, back = RunReport(True, (), {}), RunReport(True, (PairReport("dental"),), {})
    assert undone(nothing, renamed) == [
        "Run 3 changed no hours in the pairs of the configuration: there is nothing to undo.",
        "Names and descriptions stay as they are.",
    ]
    assert undone(back, listed)[-1] == "Customers stay on the wait list, and their bookings stay cancelled."
    assert not any("stay" in line for line in undone(back))


def test_a_booking_is_named_and_what_changed_on_it_is_told() -> None:
    line = change_line(Change("bitrix24", "create", None, LISTED, "why"), "monday").plain
    assert line == '  Bitrix24   + booking 7, date "2026-05-18"  (why)'
    line = change_line(Change("reservekit", "update", LISTED | {"status": "pending"}, CANCELLED, "why"), "monday").plain
    assert line == '  ReserveKit ~ booking 7, date "2026-05-18": status "pending" → "cancelled"  (why)'
    line = change_line(Change("reservekit", "update", LISTED | {"status": None}, CANCELLED, "why"), "monday").plain
    assert line.endswith('status unknown → "cancelled"  (why)')
