"""What of a declared resource type is sent, and the portal's trap: every update wants a code that no type has."""

from __future__ import annotations

import pytest

from slotbridge.reconcile.resource_types import Fields, compare, free_code

PRESENT: Fields = {
    "code": "doctors",
    "name": "Doctors",
    "isReminderNotificationOn": True,
    "reminderNotificationDelay": 0,
}
TAKEN = ["doctors", "rooms"]


def test_only_what_differs_is_sent_with_the_new_code() -> None:
    plan = compare({"code": "doctors_2", "name": "Doctors", "isReminderNotificationOn": False}, PRESENT, TAKEN)
    assert plan.fields == {"isReminderNotificationOn": False}
    assert plan.after == {"code": "doctors_2", "isReminderNotificationOn": False}
    assert plan.change is not None
    assert plan.change.before == {"code": "doctors", "isReminderNotificationOn": True}


@pytest.mark.parametrize("declared", [{}, {"name": "Doctors"}, {"code": "DOCTORS"}, {"reminderNotificationDelay": 0}])
def test_what_is_as_declared_needs_nothing(declared: Fields) -> None:
    plan = compare(declared, PRESENT, TAKEN)
    assert (plan.change, plan.obstacle) == (None, None)


@pytest.mark.parametrize(
    ("code", "why"), [(None, "it has that code"), ("Doctors", "it has that code"), ("ROOMS", "another type has")]
)
def test_a_code_that_exists_is_not_sent_and_the_message_says_what_to_do(code: str | None, why: str) -> None:
    declared: dict[str, bool | int | str] = {"name": "Dentists"}
    plan = compare(declared if code is None else {**declared, "code": code}, PRESENT, TAKEN)
    assert plan.change is None
    assert plan.obstacle is not None
    assert why in plan.obstacle.what
    assert 'code = "doctors_2"' in plan.obstacle.hint


def test_a_new_code_alone_is_a_change() -> None:
    plan = compare({"code": "dentists"}, PRESENT, TAKEN)
    assert (plan.fields, plan.after) == ({}, {"code": "dentists"})


def test_what_the_portal_does_not_tell_cannot_be_kept_in_line() -> None:
    plan = compare({"code": "doctors_2", "infoNotificationDelay": 60}, PRESENT, TAKEN)
    assert plan.change is None
    assert plan.obstacle is not None
    assert "infoNotificationDelay" in plan.obstacle.what


def test_what_came_of_it_is_told_as_far_as_it_came() -> None:
    plan = compare({"code": "doctors_2", "name": "Dentists"}, PRESENT, TAKEN)
    assert plan.reached(PRESENT) is None
    assert plan.reached({**PRESENT, "code": "doctors_2", "name": "Dentists"}) == plan.change
    half = plan.reached({**PRESENT, "code": "doctors_2"})
    assert half is not None
    assert half.after == {"code": "doctors_2"}


@pytest.mark.parametrize(
    ("own", "taken", "free"),
    [
        ("doctors", ["doctors"], "doctors_2"),
        ("doctors_2", ["doctors_2"], "doctors_3"),
        ("doctors_2", ["doctors_2", "DOCTORS_3", "rooms"], "doctors_4"),
        ("", [""], "type_2"),
    ],
)
def test_the_code_that_is_proposed_is_free(own: str, taken: list[str], free: str) -> None:
    assert free_code(own, taken) == free


def test_a_write_has_a_name_that_tells_what_is_sent_on_top_of_what() -> None:
    declared: Fields = {"code": "doctors_2", "name": "Dentists"}
    one = compare(declared, PRESENT, TAKEN).digest
    assert one == compare(dict(reversed(list(declared.items()))), PRESENT, []).digest
    assert one != compare(declared, {**PRESENT, "name": "Docs"}, TAKEN).digest
    assert one != compare({**declared, "name": "Dental"}, PRESENT, TAKEN).digest
