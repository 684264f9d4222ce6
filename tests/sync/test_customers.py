"""Customers on slots that go: on the wait list first, then the booking is cancelled, then the slot goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from slotbridge.sandbox.traffic import Fault
from tests.sync.called import run
from tests.sync.decided import decide, kinds, only_hold, open_holds, opened
from tests.sync.departures import (
    ADA,
    BOB,
    NOBODY,
    WEEK,
    WITHOUT_MONDAY,
    all_moved,
    approved,
    book,
    booked,
    contacts,
    entries,
    none_moved,
    statuses,
    steps,
    waiting,
    ways,
)
from tests.sync.rig import Network, Rig

MakeRig = Callable[..., Rig]


def portal(rig: Rig, **behaviour: Any) -> None:
    rig.world.portal.behaviour = replace(rig.world.portal.behaviour, **behaviour)


def account(rig: Rig, **behaviour: Any) -> None:
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, **behaviour)


def test_a_booked_slot_is_held_as_ever_until_somebody_approves(make_rig: MakeRig) -> None:
    rig = booked(make_rig)
    rig.ranges(WITHOUT_MONDAY)
    held = rig.sync()
    assert only_hold(held).reason.endswith("has 1 upcoming booking, the next on 2026-05-18")
    assert "wait list" in only_hold(held).items[0]["customers"]
    none_moved(rig)
    assert (entries(rig), contacts(rig), steps(rig)) == ([], [], [])


def test_an_approval_puts_the_customers_on_the_wait_list_and_then_the_slot_goes(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    assert rig.sync().status == "changed"
    all_moved(rig, "Ada Lovelace", "Bob")
    assert open_holds(rig) == []


def test_the_entry_tells_people_all_they_need(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.run()
    (entry,) = rig.world.portal.waitlist.values()
    assert entry.note.splitlines() == [
        "slotbridge booking 1: pair1, Mon 09:00–18:00, on 2026-05-18",
        "Customer: Ada Lovelace, +4930123456, ada@example.com",
    ]
    (booking,) = rig.world.reservations.bookings.values()
    assert "wait list" in (booking.cancel_reason or "")


def test_nothing_is_cancelled_before_its_customer_is_on_the_wait_list(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    seen: list[tuple[int, int]] = []

    def look(_world: object, _api: str, method: str, path: str) -> None:
        if method in ("PATCH", "DELETE"):
            seen.append((sum(map(len, waiting(rig))), statuses(rig).count("cancelled")))

    rig.world.on_request.append(look)
    rig.run()
    assert seen == [(0, 0), (1, 0), (2, 1), (2, 2)], "whether slots can go, two cancellations, a slot"


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"phone": "+49 30 123456"}, "Ada by phone"),
        ({"email": "ADA@example.com"}, "Ada by address"),
    ],
)
def test_a_contact_that_there_is_gets_no_double(known: dict[str, str], name: str, make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.world.portal.add_contact(name, **known)
    rig.run()
    all_moved(rig, name)


def test_the_phone_number_comes_before_the_address(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.world.portal.add_contact("by address", email=ADA["email"])
    rig.world.portal.add_contact("by phone", phone=ADA["phone"])
    rig.run()
    assert waiting(rig) == [("by phone",)]


def test_two_bookings_of_one_customer_are_two_entries_and_one_contact(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, ADA)
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Ada Lovelace")


def test_who_left_no_way_to_be_reached_is_on_the_wait_list_by_name(make_rig: MakeRig) -> None:
    rig = approved(make_rig, NOBODY)
    rig.sync()
    assert (waiting(rig), contacts(rig), statuses(rig)) == ([()], [], ["cancelled"])
    (entry,) = rig.world.portal.waitlist.values()
    assert entry.note.endswith("Customer: Cora")


def test_a_server_whose_listing_tells_neither_customer_nor_status_will_do(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA)
    account(rig, booking_form="schema")
    rig.ranges(WITHOUT_MONDAY)
    decide(rig, only_hold(rig.run().pairs[0]), "approve")
    rig.run()
    all_moved(rig, "Ada Lovelace")


def test_past_and_cancelled_bookings_stay_as_they_are(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA)
    book(rig, BOB, "2026-05-11")
    book(rig, {**BOB, "status": "cancelled"}, "2026-05-25")
    rig.ranges(WITHOUT_MONDAY)
    decide(rig, only_hold(rig.run().pairs[0]), "approve")
    rig.sync()
    assert (waiting(rig), statuses(rig)) == ([("Ada Lovelace",)], ["cancelled", "confirmed", "cancelled"])


def test_accepting_deletions_for_one_run_sees_customers_off(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA)
    rig.ranges(WITHOUT_MONDAY)
    assert rig.sync(accept_deletes=True).status == "changed"
    all_moved(rig, "Ada Lovelace")


def test_accepting_deletions_moves_no_slot_away_from_its_customers(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA)
    rig.ranges(("Mon", 600, 1080, 30), WITHOUT_MONDAY)
    held = rig.run(accept_deletes=True).pairs[0]
    assert kinds(held) == ["booked"]
    assert "customers" not in only_hold(held).items[0]
    none_moved(rig)


def test_a_move_that_was_approved_goes_as_it_is(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA)
    rig.ranges(("Mon", 600, 1080, 30), WITHOUT_MONDAY)
    decide(rig, only_hold(rig.run().pairs[0]), "approve")
    assert rig.sync().status == "changed"
    none_moved(rig)
    assert (rig.in_reservekit()[0][:2], entries(rig)) == ((0, 600), [])


def test_a_booking_that_names_no_slot_is_left_to_people(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA)
    rig.world.reservations.bookings[1].time_slot_id = 0
    rig.ranges(WITHOUT_MONDAY)
    decide(rig, only_hold(rig.run().pairs[0]), "approve")
    assert "names no time slot" in only_hold(rig.sync()).reason
    none_moved(rig)
    rig.world.reservations.bookings[1].status = "cancelled"
    assert rig.sync().status == "changed"
    assert entries(rig) == []


# What is told


def told(changes: Any) -> list[tuple[str, str, Any]]:
    return [(change.side, change.op, change.after) for change in changes]


def test_report_and_history_tell_the_way_by_booking_and_date_only(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    report = rig.run()
    booking = {"booking": 1, "date": "2026-05-18"}
    expected = [
        ("bitrix24", "create", booking),
        ("reservekit", "update", booking | {"status": "cancelled"}),
        ("reservekit", "delete", None),
    ]
    assert told(report.pairs[0].changes) == expected
    with opened(rig) as store:
        assert told(reversed(store.history(run=store.runs()[0].id))) == expected
    change = report.as_json()["pairs"][0]["changes"][1]
    assert (change["before"]["status"], change["after"]["status"]) == ("confirmed", "cancelled")


def test_a_dry_run_tells_the_same_and_moves_nobody(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    foretold = rig.run(dry_run=True).pairs[0].changes
    none_moved(rig)
    assert (entries(rig), contacts(rig), steps(rig)) == ([], [], [])
    done = rig.run().pairs[0].changes
    assert sorted(map(repr, foretold)) == sorted(map(repr, done))


def by_portal(said: str) -> Any:
    return {"error": "ERROR", "error_description": said}


def by_account(said: str) -> Any:
    return {"error": {"code": "validation_failed", "message": said}}


@pytest.mark.parametrize(
    ("match", "answered"),
    [
        ("crm.duplicate", by_portal),
        ("crm.contact.add", by_portal),
        ("waitlist.add", by_portal),
        ("client.set", by_portal),
        ("GET /v1/bookings", by_account),
        ("PATCH /v1/bookings", by_account),
    ],
)
def test_a_person_s_data_are_in_the_portal_and_nowhere_else(
    match: str, answered: Callable[[str], Any], make_rig: MakeRig, capfd: pytest.CaptureFixture[str]
) -> None:
    rig = approved(make_rig, ADA, BOB)
    said = "Invalid phone 4930123456 of &quot;LOVELACE, Ada&quot; &lt;ADA@Example.com&gt;"
    rig.world.faults.append(Fault(match, "answer", status=400, body=json.dumps(answered(said))))
    held = rig.run()
    assert "Invalid" not in json.dumps(held.as_json())
    rig.run()
    report = rig.run()
    kept = rig.database.read_bytes().decode("utf-8", "replace")
    printed = "".join(capfd.readouterr())
    for text in (json.dumps(held.as_json()), json.dumps(report.as_json()), kept, printed):
        secrets = ("lovelace", "4930123456", "ada@example", "bob")
        assert not any(secret in text.lower() for secret in secrets)


def test_a_cancellation_by_the_customer_is_not_told_as_ours(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    (booking,) = rig.world.reservations.bookings.values()
    rig.before_request("PATCH /v1/bookings", lambda: setattr(booking, "status", "cancelled"))
    assert told(rig.run().pairs[0].changes) == [
        ("bitrix24", "create", {"booking": 1, "date": "2026-05-18"}),
        ("reservekit", "delete", None),
    ]


# Bookings that come in meanwhile


def test_a_booking_made_while_customers_are_moved_is_treated_alike(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.before_request("PATCH /v1/bookings/1", lambda: book(rig, BOB))
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob")


def test_a_slot_that_is_booked_again_and_again_is_held(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    people = iter(range(100))

    def hook(_world: object, _api: str, method: str, path: str) -> None:
        if method == "PATCH" and "bookings" in path:
            number = next(people)
            book(rig, {**BOB, "phone": f"+49301000{number}"}, f"2026-05-{19 + number}")

    rig.world.on_request.append(hook)
    assert "booked again each time" in only_hold(rig.run().pairs[0]).reason
    assert len(rig.slot_ids()) == 3
    rig.world.on_request.clear()
    decide(rig, only_hold(rig.sync()), "approve")
    rig.sync()
    assert (len(rig.slot_ids()), set(statuses(rig)), set(steps(rig))) == (2, {"cancelled"}, {"done"})
    assert len(set(entries(rig))) == len(entries(rig)) == len(statuses(rig))


def test_a_booking_made_after_the_last_customer_went_keeps_the_slot_for_this_run(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.ranges(WITHOUT_MONDAY, ("Fri", 540, 600, 30))
    rig.before_request("PATCH /v1/time-slots", lambda: book(rig, BOB, "2026-05-25"))
    report = rig.run().pairs[0]
    assert (report.status, statuses(rig)) == ("failed", ["cancelled", "confirmed"])
    assert "booked right before" in str(report.error)
    assert (4, 540, 600, 2) in rig.in_reservekit()
    held = rig.sync()
    assert (kinds(held), statuses(rig)) == (["booked"], ["cancelled", "confirmed"])
    decide(rig, only_hold(held), "approve")
    rig.sync()
    assert (waiting(rig), statuses(rig)) == ([("Ada Lovelace",), ("Bob",)], ["cancelled", "cancelled"])


def test_G6_a_booking_made_after_the_run_that_was_approved_is_shown_to_somebody_first(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.world.faults.append(Fault("DELETE /v1/time-slots", "answer", status=403, skip=1))
    assert "read-only" in kinds(rig.run().pairs[0])
    book(rig, BOB, "2026-05-25")
    held = rig.sync()
    assert (kinds(held), waiting(rig)) == (["booked"], [("Ada Lovelace",)])
    assert statuses(rig) == ["cancelled", "confirmed"]
    decide(rig, only_hold(held), "approve")
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob")


def test_a_slot_that_nobody_approved_is_held_if_it_is_booked_after_the_plan_was_made(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA)
    rig.world.reservations.bookings.clear()
    rig.ranges(WITHOUT_MONDAY)

    def dawdle() -> None:
        rig.clock.time += 60
        book(rig, BOB)

    rig.before_request("bitrix24", lambda: rig.before_request("bitrix24", dawdle))
    assert kinds(rig.run().pairs[0]) == ["booked"]
    none_moved(rig)
    assert entries(rig) == []


@pytest.mark.parametrize("skip", [0, 1], ids=["before anybody is moved", "after it"])
def test_bookings_that_cannot_be_read_fail_the_pair(skip: int, make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.world.faults.append(Fault("GET /v1/bookings", "html", times=100, skip=skip))
    assert rig.run().pairs[0].status == "failed"
    assert (statuses(rig), len(rig.slot_ids())) == (["cancelled" if skip else "confirmed"], 3)
    rig.world.faults.clear()
    rig.sync()
    all_moved(rig, "Ada Lovelace")


# Steps that fail


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ({"crm_scope": False}, "lacks the permission `crm`"),
        ({"waitlist_feature": False}, "wait list may be switched off"),
        ({"client_types": False}, "add one by hand"),
    ],
)
def test_a_step_that_fails_holds_the_slot_until_its_cause_is_gone(
    behaviour: dict[str, bool], reason: str, make_rig: MakeRig
) -> None:
    rig = approved(make_rig, ADA, BOB)
    rig.ranges(WITHOUT_MONDAY, ("Fri", 540, 600, 30))
    (shown,) = open_holds(rig)
    portal(rig, **behaviour)
    for _ in range(2):
        held = rig.run().pairs[0]
        assert reason in only_hold(held).reason
        assert (held.status, only_hold(held).id, statuses(rig)) == ("held", shown.id, ["confirmed", "confirmed"])
    assert (4, 540, 600, 2) in rig.in_reservekit(), "everything else goes on"
    portal(rig, **dict.fromkeys(behaviour, True))
    rig.clock.time += 3600  # what was refused twice rests for an hour
    assert rig.run().pairs[0].status == "changed"
    assert (waiting(rig), contacts(rig)) == ([("Ada Lovelace",), ("Bob",)], ["Ada Lovelace", "Bob"])
    assert (statuses(rig), open_holds(rig)) == (["cancelled", "cancelled"], [])


def test_a_key_that_may_not_cancel_holds_the_slot(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    account(rig, closed=("PATCH /bookings/{id}",))
    for _ in range(2):
        held = rig.run().pairs[0]
        assert "booking 1 stays" in only_hold(held).reason
        assert waiting(rig) == [("Ada Lovelace",)], "nobody else is put on the wait list in vain"
    assert held.changes == (), "and it is told once that the first one was"
    none_moved(rig)
    account(rig, closed=())
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob")


@pytest.mark.parametrize("status", [401, 403, 405])
def test_W6_nobody_is_moved_for_a_slot_that_the_key_may_not_delete(status: int, make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    account(rig, writes_refused=status)
    for _ in range(2):
        assert "read-only" in kinds(rig.run().pairs[0])
        none_moved(rig)
        assert (entries(rig), contacts(rig)) == ([], [])
    account(rig, writes_refused=None)
    rig.sync()
    all_moved(rig, "Ada Lovelace")


@pytest.mark.parametrize("status", [409, 500])
def test_nobody_is_moved_where_deletions_fail_anyway(status: int, make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.world.faults.append(Fault("DELETE /v1/time-slots", "answer", status=status))
    assert rig.run().pairs[0].status == "failed"
    none_moved(rig)
    rig.sync()
    all_moved(rig, "Ada Lovelace")


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_server_that_knows_no_slot_zero_tells_nothing_about_the_others(status: int, make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.world.faults.append(Fault("DELETE /v1/time-slots/0", "answer", status=status, body="{}"))
    rig.sync()
    all_moved(rig, "Ada Lovelace")


def test_whether_slots_can_go_is_asked_once_a_run_and_only_for_customers(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA, max_delete_ratio=1.0)
    book(rig, BOB, "2026-05-19", slot=1)
    rig.ranges(("Mon Tue", 540, 1080, 30))
    rig.run()
    assert [logged for logged in rig.world.log if logged.path == "/v1/time-slots/0"] == []
    rig.ranges()
    rig.run(accept_deletes=True)
    assert statuses(rig) == ["cancelled", "cancelled"]
    assert len([logged for logged in rig.world.log if logged.path == "/v1/time-slots/0"]) == 1


def test_W6_where_nobody_watches_a_refused_cancellation_is_asked_for_once_an_hour(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    account(rig, closed=("PATCH /bookings/{id}",))
    first = run(rig, Network(rig.world), unattended=True).pairs[0]
    for _ in range(3):
        rig.clock.time += 300
        writes = rig.writes()
        report = run(rig, Network(rig.world), unattended=True)
        assert (report.pairs[0].holds, rig.writes()) == (first.holds, writes)
        assert report.requests == {"bitrix24": 1, "reservekit": 2}, "ranges; slots and bookings"
    rig.clock.time += 3600
    account(rig, closed=())
    run(rig, Network(rig.world), unattended=True)
    all_moved(rig, "Ada Lovelace", "Bob")


def test_what_moving_a_customer_costs(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    # Ranges twice; a contact is looked for by phone and address, and added; so is an entry, and given its client.
    # Slots, bookings; whether slots can go, the service, the cancellation; bookings, the deletion, slots.
    assert rig.run().requests == {"bitrix24": 2 + 3 + 2, "reservekit": 2 + 3 + 3}
    all_moved(rig, "Ada Lovelace")


@pytest.mark.parametrize("missing", ["crm_scope", "waitlist_feature"])
def test_who_was_accepted_for_one_run_and_is_not_on_the_wait_list_stays_without_it(
    missing: str, make_rig: MakeRig
) -> None:
    rig = booked(make_rig, ADA)
    rig.ranges(WITHOUT_MONDAY)
    portal(rig, **{missing: False})
    assert "booking 1 stays" in only_hold(rig.run(accept_deletes=True).pairs[0]).reason
    portal(rig, **{missing: True})
    held = rig.sync()
    assert only_hold(held).reason.endswith("on 2026-05-18")
    assert entries(rig) == []


def test_one_slot_that_fails_keeps_no_other_from_going(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA, max_delete_ratio=1.0)
    book(rig, BOB, "2026-05-19", slot=1)
    monday, _, wednesday = rig.slot_ids()
    rig.ranges(("Wed", 540, 1080, 30))
    for hold in rig.run().pairs[0].holds:
        decide(rig, hold, "approve")
    body = json.dumps({"error": "ERROR", "error_description": "no"})
    rig.world.faults.append(Fault("waitlist.add", "answer", status=400, body=body))
    held = rig.run().pairs[0]
    assert f"time slot {monday} " in only_hold(held).reason
    assert (statuses(rig), rig.slot_ids()) == (["confirmed", "cancelled"], [monday, wednesday])
    rig.sync()
    assert (statuses(rig), rig.slot_ids()) == (["cancelled", "cancelled"], [wednesday])


def test_a_run_that_is_to_stop_finishes_the_customer_at_hand(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    held = rig.run(stop=lambda: bool(rig.world.portal.waitlist)).pairs[0]
    assert "the run was told to stop" in only_hold(held).reason
    assert (waiting(rig), statuses(rig)) == ([("Ada Lovelace",)], ["cancelled", "confirmed"])
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob")


# A slot that stays after all


def test_a_slot_that_is_wanted_again_keeps_who_is_left_and_nobody_is_listed_twice_later(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    account(rig, closed=("PATCH /bookings/{id}",))
    rig.run()
    account(rig, closed=())
    rig.ranges(WEEK)
    assert rig.sync().status == "quiet"
    assert (steps(rig), statuses(rig)) == (["done", "done"], ["confirmed", "confirmed"])

    rig.ranges(WITHOUT_MONDAY)
    decide(rig, only_hold(rig.sync()), "approve")
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob")


def test_an_entry_that_somebody_removed_is_made_again(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    account(rig, closed=("PATCH /bookings/{id}",))
    rig.run()
    rig.world.portal.waitlist.clear()
    account(rig, closed=())
    rig.sync()
    all_moved(rig, "Ada Lovelace")


def test_an_entry_of_another_portal_is_left_alone(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    account(rig, closed=("PATCH /bookings/{id}",))
    rig.run()
    (entry,) = rig.world.portal.waitlist.values()
    entry.note, entry.clients = "somebody else, who mentions slotbridge booking 1:", ()
    account(rig, closed=())
    rig.sync()
    assert (entry.clients, waiting(rig)[1:]) == ((), [("Ada Lovelace",)])


def test_only_what_is_needed_is_remembered(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    (slot, *_), at = rig.slot_ids(), rig.clock.now()
    rig.run()
    (way,) = ways(rig)
    assert (way.pair, way.booking_id, way.slot_id, way.date) == ("pair1", 1, slot, "2026-05-18")
    assert (way.contact_id, way.waitlist_id, way.at > at) == (1, 1, True)
