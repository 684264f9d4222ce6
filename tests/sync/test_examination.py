"""What `doctor` finds: each kind of server and portal in words, with the line that belongs into the configuration."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from slotbridge.bitrix24.access import WEBHOOK_WORDS
from slotbridge.bitrix24.waitlist import ClientType
from slotbridge.clock import SystemClock
from slotbridge.errors import NotSent, Rejected, StoreError, WriteRefused
from slotbridge.http.tokens import TokenPair
from slotbridge.reservekit.probes import Sample
from slotbridge.sandbox.control import state_of
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.world import CLIENT_ID, CLIENT_SECRET, TOKEN_PATH
from slotbridge.settings import Bitrix24Settings, DaemonSettings, OAuthSettings, Settings
from slotbridge.store import DatabaseLock, Store
from slotbridge.store.holder import holder_of
from slotbridge.store.inspection import Finding as Inspected
from slotbridge.store.tokens import Tokens
from slotbridge.sync.connection import connect
from slotbridge.sync.examination import DatabaseFacts, Finding, Setting, clocks, database
from slotbridge.sync.examination_bitrix24 import PortalFacts, portal
from slotbridge.sync.examination_reservekit import ApiFacts, PageFacts, api
from slotbridge.sync.examining import Examination, examine, examine_files
from tests.sync.rig import HOST, Network, Rig

DOWN = NotSent("no connection could be made", side="bitrix24", item="the list of permissions", hint="Check the network")
MONDAY = ("Mon Tue", 540, 720, 30)


def settings_of(rig: Rig, **tables: Any) -> Settings:
    return rig.settings.model_copy(update={"pairs": tuple(rig.pairs), **tables})


def examined(rig: Rig, **tables: Any) -> Examination:
    settings = settings_of(rig, **tables)

    async def ask() -> Examination:
        network, random = Network(rig.world), Random(1)
        sides = connect(settings, None, clock=rig.clock, random=random, network=network, capped=False)
        try:
            return await examine(settings, sides, clock=rig.clock)
        finally:
            await sides.aclose()

    return asyncio.run(ask())


def by_id(found: Any) -> dict[str, Finding]:
    return {finding.id: finding for finding in getattr(found, "findings", found)}


def portal_is(rig: Rig, **switches: Any) -> None:
    rig.world.portal.behaviour = replace(rig.world.portal.behaviour, **switches)


def server_is(rig: Rig, **switches: Any) -> None:
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, **switches)


@pytest.fixture
def business(rig: Rig) -> Rig:
    """One pair, in step, with hours on two days."""
    rig.ranges(MONDAY)
    for day in (0, 1):
        rig.slot(day, 540, 720, 6)
    return rig


# Both sides, asked


def test_a_healthy_business_has_no_warning(business: Rig) -> None:
    found = examined(business)
    assert [finding for finding in found.findings if finding.state != "ok"] == []
    assert {finding.id for finding in found.findings} >= {
        *("bitrix24.access", "bitrix24.scopes", "bitrix24.version", "bitrix24.resources", "bitrix24.slots"),
        *("reservekit.access", "reservekit.services", "reservekit.slots", "reservekit.pages", "reservekit.times"),
        *("reservekit.writes", "reservekit.first-write", "reservekit.days", "bitrix24.limits"),
    }


def test_nothing_is_changed_and_every_request_is_counted(business: Rig) -> None:
    before = state_of(business.world)
    found = examined(business)
    assert state_of(business.world) == before
    assert not business.database.exists()
    assert found.requests == {"bitrix24": business.requests("bitrix24"), "reservekit": business.requests("reservekit")}
    assert found.requests == {"bitrix24": 3, "reservekit": 6}
    assert [logged.path for logged in business.world.log if logged.write and logged.api == "reservekit"] == [
        "/v1/time-slots/0"
    ]


@pytest.mark.parametrize(
    ("own", "what", "hint", "setting"),
    [
        (
            {},
            "it is asked at most 2 times a second, and 49 times at once",
            'That is for plan = "standard"; change it if the portal has the other kind of plan',
            Setting("[bitrix24]", 'plan = "enterprise"'),
        ),
        (
            {"requests_per_second": 200.0, "burst": 20},
            "it is asked at most 200 times a second, and 20 times at once",
            "That is as [bitrix24] requests_per_second and burst say",
            None,
        ),
        (
            {"burst": 20},
            "it is asked at most 2 times a second, and 20 times at once",
            'That is as [bitrix24] burst says; the other number is for plan = "standard"',
            None,
        ),
    ],
)
def test_how_fast_the_portal_is_asked_is_told_with_what_says_so(
    rig: Rig, own: dict[str, Any], what: str, hint: str, setting: Setting | None
) -> None:
    settings = settings_of(rig)
    numbers = {"requests_per_second": None, "burst": None} | own
    settings = settings.model_copy(update={"bitrix24": settings.bitrix24.model_copy(update=numbers)})
    found = by_id(portal(PortalFacts(frozenset({"booking"})), settings, WEBHOOK_WORDS))["bitrix24.limits"]
    assert (found.state, found.what, found.hint, found.setting) == ("ok", what, hint, setting)


def test_the_week_is_shown_as_it_is_read(business: Rig) -> None:
    (week,) = examined(business).weeks
    assert [(str(seen.window), seen.capacity) for seen in week.windows] == [
        ("Mon 09:00–12:00", 6),
        ("Tue 09:00–12:00", 6),
    ]


@pytest.mark.parametrize("api_down", ["bitrix24", "reservekit"])
def test_a_side_that_is_down_does_not_stop_the_other(business: Rig, api_down: Any) -> None:
    business.world.faults.append(Fault("", "bad-gateway", times=99, api=api_down))
    found = by_id(examined(business))
    other = "reservekit" if api_down == "bitrix24" else "bitrix24"
    assert found[f"{api_down}.access"].state == "problem"
    assert f"{api_down}.slots" not in found
    assert (found[f"{other}.access"].state, found[f"{other}.slots"].state) == ("ok", "ok")


def test_the_week_is_shown_without_bitrix24(business: Rig) -> None:
    business.world.faults.append(Fault("", "bad-gateway", times=99, api="bitrix24"))
    (week,) = examined(business).weeks
    assert week.ranges is None
    assert len(week.windows) == 2


def test_without_pairs_both_sides_are_asked_for_all_they_have(business: Rig) -> None:
    business.ids = {}
    found = by_id(examined(business))
    assert found["bitrix24.resources"].what == "1 resource found"
    assert found["reservekit.services"].what == "1 service found"
    assert "reservekit.days" not in found


def test_without_pairs_a_service_with_time_slots_shows_how_times_are_written(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(pairs=5)
    for _ in range(2):
        rig.slot(0, 540, 720, pair="pair2")
    rig.ids = {}
    examination = examined(rig)
    found = by_id(examination)
    assert found["reservekit.times"].what.startswith("times are written without a zone")
    assert found["reservekit.slots"].what == "the time slots of 2 services can be listed in full"
    assert "reservekit.pages" in found
    assert examination.requests["reservekit"] == 2 + 2 + 2 + 1  # services, lists, pages, DELETE


def test_without_pairs_no_more_than_three_services_are_looked_at(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(pairs=9)
    rig.ids = {}
    examination = examined(rig)
    assert examination.requests["reservekit"] == 2 + 3 + 1
    assert "no time slot shows yet" in by_id(examination)["reservekit.times"].what


def test_what_was_not_looked_at_is_called_so(rig: Rig) -> None:
    rig.world.faults.append(Fault("GET /v1/services?page=1&page_size=100", "answer", status=500, times=9))
    assert "was not looked at" in by_id(examined(rig))["reservekit.times"].what


# Bitrix24


def test_a_missing_permission_says_where_to_add_it(business: Rig) -> None:
    portal_is(business, booking_scope=False)
    found = by_id(examined(business))
    assert found["bitrix24.scopes"].state == "problem"
    assert found["bitrix24.scopes"].what == "the webhook lacks the permission `booking`"
    assert str(found["bitrix24.scopes"].hint).endswith("add to its permissions: booking")
    assert "bitrix24.resources" not in found


UNKNOWN_METHOD = '{"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}'


def test_a_portal_that_does_not_tell_its_permissions_is_examined_all_the_same(business: Rig) -> None:
    business.world.faults.append(Fault("/scope", "answer", status=404, body=UNKNOWN_METHOD))
    found = by_id(examined(business))
    assert [each.id for each in found.values() if each.state != "ok"] == []
    assert "does not tell which permissions" in found["bitrix24.scopes"].what
    assert {"bitrix24.access", "bitrix24.resources", "bitrix24.slots"} <= found.keys()


def test_a_permission_that_is_missing_untold_shows_in_what_needs_it(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(pairs=3)
    portal_is(rig, booking_scope=False)
    rig.world.faults.append(Fault("/scope", "answer", status=404, body=UNKNOWN_METHOD))
    found = [each for each in examined(rig).findings if each.id.startswith("bitrix24.")]
    (problem,) = [each for each in found if each.state != "ok"]
    assert problem.id == "bitrix24.resources"
    assert "lacks the permission `booking`" in problem.what
    assert "bitrix24.access" not in by_id(found)


def test_a_permission_that_cannot_be_tried_is_told_as_unknown(business: Rig) -> None:
    business.options["booked_slots"] = "waitlist"
    business.world.faults.append(Fault("/scope", "answer", status=404, body=UNKNOWN_METHOD))
    found = by_id(examined(business))["bitrix24.scopes"]
    assert found.state == "warning"
    assert str(found.hint).endswith("add to its permissions: crm")


def test_crm_is_asked_for_only_where_the_wait_list_needs_it(business: Rig) -> None:
    portal_is(business, crm_scope=False)
    assert by_id(examined(business))["bitrix24.scopes"].state == "ok"
    business.options["booked_slots"] = "waitlist"
    found = by_id(examined(business))["bitrix24.scopes"]
    assert (found.state, "which booked_slots" in found.what) == ("problem", True)


def test_the_wait_list_needs_a_portal_that_knows_contacts(business: Rig) -> None:
    business.options["booked_slots"] = "waitlist"
    assert "bitrix24.clients" not in by_id(examined(business))
    portal_is(business, client_types=False)
    found = by_id(examined(business))["bitrix24.clients"]
    assert (found.state, "by hand" in str(found.hint)) == ("problem", True)


def test_a_portal_without_the_methods_is_too_old(business: Rig) -> None:
    portal_is(business, booking_module=False)
    found = by_id(examined(business))
    assert found["bitrix24.version"].state == "problem"
    assert "25.300" in str(found["bitrix24.version"].hint)
    assert "bitrix24.resources" not in found


def test_each_missing_resource_is_one_problem_of_its_pair(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(pairs=3)
    rig.ids["pair2"] = (999, rig.ids["pair2"][1])
    found = [one for one in examined(rig).findings if one.id in ("bitrix24.resources", "bitrix24.slots")]
    assert [(one.id, one.state, one.pair) for one in found] == [
        ("bitrix24.resources", "problem", "pair2"),
    ]


def test_hours_that_cannot_be_read_are_told_where_the_resource_is_there(business: Rig) -> None:
    business.world.faults.append(Fault("slots.list", "answer", times=99, status=403, body="{}"))
    found = by_id(examined(business))
    assert (found["bitrix24.resources"].state, found["bitrix24.slots"].state) == ("ok", "problem")


def test_a_range_that_cannot_be_read_is_named_and_no_problem(business: Rig) -> None:
    business.ranges(MONDAY, ("Sat", 600, 720, 30))
    stored = business.world.portal.slots(business.ids["pair1"][0])
    odd = replace(stored[1], timezone="Mars/Olympus")
    business.world.portal.put_slots(business.ids["pair1"][0], [stored[0], odd])
    found = by_id(examined(business))["bitrix24.unsupported"]
    assert (found.state, found.pair) == ("warning", "pair1")
    assert "range 2" in found.what


def with_application(rig: Rig, seconds: float = 3600, **more: Any) -> dict[str, Any]:
    """The tables for an application that was granted access."""
    tokens = rig.world.portal.application.issue(seconds)
    pair = TokenPair(tokens.access, tokens.refresh, tokens.expires, f"{HOST}/rest/")
    Tokens(f"sqlite:///{rig.database}", rig.clock).save(CLIENT_ID, pair)
    return application(**more)


def application(public_url: str | None = None, token: str | None = None) -> dict[str, Any]:
    oauth = OAuthSettings.model_validate(
        {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "portal": HOST, "token_url": HOST + TOKEN_PATH}
    )
    table = Bitrix24Settings.model_validate({"oauth": oauth, "application_token": token})
    return {"bitrix24": table, "daemon": DaemonSettings(public_url=public_url)}


def test_an_application_without_access_is_told_how_to_get_it(business: Rig) -> None:
    found = by_id(examined(business, **application()))
    assert (found["bitrix24.access"].state, found["bitrix24.access"].hint) == ("problem", "Run `slotbridge auth`")
    assert not business.database.exists()


def test_an_application_is_told_until_when_its_tokens_are_good(business: Rig) -> None:
    found = by_id(examined(business, **with_application(business)))["bitrix24.tokens"]
    until = business.clock.now() + timedelta(hours=1)
    assert found.what.startswith(f"the access token is good until {until:%Y-%m-%d %H:%M} UTC")
    assert f"{until + timedelta(days=180):%Y-%m-%d}" in str(found.hint)


def test_an_expired_token_is_renewed_and_its_new_end_is_told(business: Rig) -> None:
    found = by_id(examined(business, **with_application(business, seconds=-10)))
    assert found["bitrix24.access"].state == "ok"
    assert f"{business.clock.now() + timedelta(hours=1):%H:%M}" in found["bitrix24.tokens"].what


def test_events_that_are_not_bound_are_named(business: Rig) -> None:
    tables = with_application(business, public_url="https://sync.example.com", token="t0ken1234")
    found = by_id(examined(business, **tables))
    assert found["bitrix24.events"].state == "warning"
    assert "ONBOOKINGRESOURCEUPDATE" in found["bitrix24.events"].what
    assert "slotbridge events --bind" in str(found["bitrix24.events"].hint)
    assert "bitrix24.token" not in found


def test_without_a_public_address_events_are_an_offer(business: Rig) -> None:
    found = by_id(examined(business, **with_application(business)))["bitrix24.events"]
    assert (found.state, found.setting) == ("ok", Setting("[daemon]", 'public_url = "https://sync.example.com"'))


def test_an_address_without_a_token_is_of_no_use(business: Rig) -> None:
    found = by_id(examined(business, daemon=DaemonSettings(public_url="https://sync.example.com")))
    assert found["bitrix24.token"].state == "warning"
    assert found["bitrix24.token"].setting == Setting("[bitrix24]", 'application_token = "…"')


@pytest.mark.parametrize(("known", "states"), [((), ["problem"]), ((ClientType("CONTACT", "crm"),), [])])
def test_what_clients_can_be_is_judged_without_a_portal(rig: Rig, known: Any, states: list[str]) -> None:
    found = portal(PortalFacts(frozenset({"booking"}), client_types=known), settings_of(rig), WEBHOOK_WORDS)
    assert [one.state for one in found if one.id == "bitrix24.clients"] == states


def test_a_question_that_failed_is_a_problem_of_its_own(rig: Rig) -> None:
    facts = PortalFacts(frozenset({"booking"}), DOWN, DOWN, DOWN, DOWN, StoreError("the database is damaged"))
    found = by_id(portal(facts, settings_of(rig), WEBHOOK_WORDS))
    names = ("resources", "slots", "clients", "events", "tokens")
    assert {found[f"bitrix24.{name}"].state for name in names} == {"problem"}
    assert found["bitrix24.access"].state == "ok"


# ReserveKit


@pytest.mark.parametrize("status", [401, 403, 405])
def test_W6_a_key_that_may_not_write_is_found_out_without_writing(business: Rig, status: int) -> None:
    server_is(business, writes_refused=status)
    found = by_id(examined(business))["reservekit.writes"]
    assert found.state == "problem"
    assert str(status) in found.what
    assert found.setting == Setting("[sync]", 'direction = "to-bitrix24"')


def test_a_403_names_the_domain_that_a_key_may_be_bound_to(business: Rig) -> None:
    server_is(business, origin="https://example.com")
    found = by_id(examined(business))
    assert found["reservekit.access"].state == "problem"
    assert "bound to a domain" in str(found["reservekit.access"].hint)
    assert found["reservekit.access"].setting == Setting("[reservekit]", 'origin = "https://www.example.com"')
    assert "reservekit.writes" not in found


def test_a_key_with_its_domain_passes_in_all_that_is_asked(business: Rig) -> None:
    server_is(business, origin="https://example.com")
    key = business.settings.reservekit.model_copy(update={"origin": "https://example.com"})
    found = by_id(examined(business, reservekit=key))
    assert {finding.state for name, finding in found.items() if name.startswith("reservekit.")} == {"ok"}
    other = business.settings.reservekit.model_copy(update={"origin": "https://other.example"})
    refused = by_id(examined(business, reservekit=other))["reservekit.access"]
    assert "that is not [reservekit] origin" in str(refused.hint)
    assert refused.setting is None


def test_a_key_need_not_write_where_nothing_travels_there(business: Rig) -> None:
    server_is(business, writes_refused=403)
    business.options["direction"] = "to-bitrix24"
    found = by_id(examined(business))["reservekit.writes"]
    assert (found.state, found.setting) == ("ok", None)


@pytest.mark.parametrize("errors", ["object", "text", "status", "status-text", "message"])
def test_a_slot_that_cannot_exist_tells_an_open_key_in_every_form_of_errors(business: Rig, errors: Any) -> None:
    server_is(business, errors=errors)
    assert by_id(examined(business))["reservekit.writes"].state == "ok"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("taken", "ok"),
        (WriteRefused("answered 403", status=403), "problem"),
        (WriteRefused("answered 404: 404 page not found", status=404), "problem"),
        (WriteRefused("answered 404: route DELETE /v1/time-slots/0 not found", status=404), "problem"),
        (WriteRefused("answered 404", status=404), "warning"),
        (WriteRefused("answered 404 not_found: Resource not found", status=404, code="not_found"), "warning"),
        (Rejected("answered 400"), "warning"),
        (NotSent("no connection could be made"), "warning"),
    ],
)
def test_what_the_probe_says_about_writing(rig: Rig, answer: Any, state: str) -> None:
    found = by_id(api(ApiFacts(Sample(1), write=answer), settings_of(rig)))
    assert found["reservekit.writes"].state == state


def test_a_service_that_does_not_exist_is_a_problem_of_its_pair(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(pairs=2)
    rig.world.reservations.remove_service(rig.ids["pair1"][1])
    found = by_id(examined(rig))["reservekit.services"]
    assert (found.state, found.pair) == ("problem", "pair1")


@pytest.mark.parametrize("zones", ["null", "empty", "missing"])
def test_S7_a_service_without_a_zone_needs_one_in_the_configuration(business: Rig, zones: Any) -> None:
    server_is(business, zones=zones)
    found = by_id(examined(business))["reservekit.zones"]
    assert (found.state, found.pair) == ("problem", "pair1")
    assert found.setting == Setting('[[pairs]] "pair1"', 'timezone = "Europe/Berlin"')
    business.options["timezone"] = "Europe/Berlin"
    assert by_id(examined(business))["reservekit.services"].state == "ok"


def test_a_zone_that_nobody_knows_is_changed_at_reservekit(business: Rig) -> None:
    (service,) = business.world.reservations.services.values()
    service.timezone = "Mars/Olympus"
    found = by_id(examined(business))["reservekit.zones"]
    assert (found.state, found.setting) == ("problem", None)
    assert "IANA" in str(found.hint)


@pytest.mark.parametrize(
    ("form", "basis", "state", "clock", "line"),
    [
        ("naive", "auto", "ok", "the service's clock", 'time_basis = "utc"'),
        ("naive", "utc", "ok", "UTC", 'time_basis = "wall"'),
        ("rfc3339", "auto", "warning", "UTC", 'time_basis = "utc"'),
        ("year0", "auto", "warning", "UTC", 'time_basis = "utc"'),
        ("rfc3339", "utc", "ok", "UTC", 'time_basis = "wall"'),
        ("rfc3339", "wall", "ok", "the service's clock", 'time_basis = "utc"'),
        ("time", "auto", "ok", "the service's clock", 'time_basis = "utc"'),
    ],
)
def test_the_form_of_times_and_what_they_are_taken_for(
    business: Rig, form: Any, basis: str, state: str, clock: str, line: str
) -> None:
    server_is(business, text_form=form)
    business.reservekit["time_basis"] = basis
    found = by_id(examined(business))["reservekit.times"]
    assert found.state == state
    assert found.what.endswith(f"read as {clock}")
    assert found.setting == Setting("[reservekit]", line)
    assert ("time_format" in str(found.hint)) == (form in ("rfc3339", "year0"))
    assert (found.state == "ok") == (f'time_basis = "{"wall" if clock == "UTC" else "utc"}"' == line)


def test_services_with_different_forms_of_times_are_a_warning(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(pairs=2)
    for pair in rig.ids:
        rig.slot(0, 540, 720, pair=pair)

    def second_service_is_zoned(_world: Any, _api: str, method: str, path: str) -> None:
        lists = sum(logged.path.endswith("/time-slots") for logged in rig.world.log)
        server_is(rig, text_form="rfc3339" if lists else "naive")

    rig.world.on_request.append(second_service_is_zoned)
    found = by_id(examined(rig))["reservekit.times"]
    assert (found.state, "partly with a zone" in found.what) == ("warning", True)


def test_without_slots_nothing_is_claimed_about_times(rig: Rig) -> None:
    found = by_id(examined(rig))
    assert (found["reservekit.times"].state, found["reservekit.times"].setting) == ("ok", None)
    assert not {"reservekit.pages", "reservekit.days"} & found.keys()


@pytest.mark.parametrize("pagination", ["current_page", "page", "metadata", "null", "list"])
@pytest.mark.parametrize("honoured", [True, False])
def test_every_form_of_pages_is_fine(business: Rig, pagination: Any, honoured: bool) -> None:
    server_is(business, pagination=pagination, no_pagination=honoured)
    found = by_id(examined(business))
    assert found["reservekit.pages"].state == "ok"
    numbered = pagination in ("current_page", "page", "metadata")
    assert ("numbers its pages by" in found["reservekit.access"].what) == numbered


@pytest.mark.parametrize(
    ("one", "whole", "state", "words"),
    [
        (Sample(1, ("page",)), Sample(3), "ok", "answers one row for a page of one and honours no_pagination"),
        (Sample(1, ("page",)), Sample(1, ("page",)), "ok", "ignores no_pagination"),
        (Sample(3), Sample(3), "ok", "more than one row"),
        (Sample(1), Sample(1), "warning", "does not say into how many pages"),
        (Sample(1, ("page",)), Sample(12), "problem", "3 rows page by page, and 12 without pages"),
    ],
)
def test_lists_that_may_not_be_whole_are_told(rig: Rig, one: Sample, whole: Sample, state: str, words: str) -> None:
    found = by_id(api(ApiFacts(Sample(1), pages=PageFacts(3, one, whole)), settings_of(rig)))["reservekit.pages"]
    assert (found.state, words in found.what) == (state, True)


def test_V6_days_that_match_bitrix24_the_other_way_round_are_told(business: Rig) -> None:
    server_is(business, day_base="sunday")
    for slot in list(business.world.reservations.time_slots):
        business.world.reservations.remove_slot(slot)
    for day in (0, 1):
        business.slot(day, 540, 720, 6)
    found = by_id(examined(business))["reservekit.days"]
    assert (found.state, found.setting) == ("warning", Setting("[reservekit]", 'day_zero = "sunday"'))
    assert "as Sunday 2 windows would be as in Bitrix24, not 1" in found.what
    business.reservekit["day_zero"] = "sunday"
    found = by_id(examined(business))["reservekit.days"]
    assert (found.state, found.setting) == ("ok", Setting("[reservekit]", 'day_zero = "monday"'))


def test_a_service_that_cannot_be_listed_is_a_problem_of_its_pair_alone(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(pairs=2)
    rig.slot(0, 540, 720, pair="pair2")
    rig.world.faults.append(Fault(f"time-slots?service_id={rig.ids['pair1'][1]}", "html", times=2))
    found = examined(rig)
    assert (by_id(found)["reservekit.slots"].state, by_id(found)["reservekit.slots"].pair) == ("problem", "pair1")
    assert [week.pair.name for week in found.weeks] == ["pair2"]


def test_a_refusal_is_not_asked_for_service_by_service(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(pairs=4)
    rig.world.faults.append(Fault("time-slots", "answer", times=99, status=401, body="{}"))
    examined(rig)
    lists = [logged for logged in rig.world.log if logged.path.endswith("/time-slots")]
    assert len(lists) == 1


def test_a_slot_that_cannot_be_read_is_named_and_no_problem(business: Rig) -> None:
    next(iter(business.world.reservations.time_slots.values())).max_bookings = 0
    found = by_id(examined(business))["reservekit.unsupported"]
    assert (found.state, found.pair) == ("warning", "pair1")
    assert "max_bookings 0 is below 1" in found.what


# The database and the clocks


def files_of(rig: Rig) -> dict[str, Finding]:
    return by_id(examine_files(settings_of(rig)))


def test_a_database_that_is_not_there_is_not_made(rig: Rig, tmp_path: Path) -> None:
    assert files_of(rig)["database.file"].state == "ok"
    assert list(tmp_path.iterdir()) == []
    rig.database.touch()
    assert "the first `slotbridge sync` makes it" in files_of(rig)["database.file"].what


def test_a_database_in_a_folder_that_is_not_there_is_a_problem(rig: Rig, tmp_path: Path) -> None:
    rig.database = tmp_path / "nowhere" / "slotbridge.db"
    found = files_of(rig)["database.file"]
    assert (found.state, "does not exist" in found.what) == ("problem", True)
    assert found.setting is not None


def test_a_sound_database_is_told_and_left_byte_for_byte(business: Rig, tmp_path: Path) -> None:
    business.run()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    found = files_of(business)
    assert {finding.state for finding in found.values()} == {"ok"}
    assert found.keys() >= {"database.integrity", "database.schema", "database.permissions", "database.space"}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_another_programs_file_is_a_problem(rig: Rig) -> None:
    rig.database.write_text("not a database, but long enough to be told apart from one" * 20)
    assert files_of(rig)["database.integrity"].state == "problem"


def test_what_an_inspection_finds_wrong_is_a_problem() -> None:
    found = (Inspected("space", ok=False, says="takes 1 GB; 3 kB are free", hint="Free some"),)
    told = by_id(database(DatabaseFacts(Path("/x/y.db"), found, "writable")))
    assert (told["database.space"].state, told["database.space"].hint) == ("problem", "Free some")
    broken = by_id(database(DatabaseFacts(Path("/x/y.db"), StoreError("it cannot be reached"), "closed")))
    assert broken["database.file"].state == "problem"


def test_no_pairs_are_a_warning(rig: Rig) -> None:
    rig.ids = {}
    assert files_of(rig)["configuration.pairs"].state == "warning"


def test_who_holds_the_lock_is_told_and_not_disturbed(rig: Rig) -> None:
    url = f"sqlite:///{rig.database}"
    assert holder_of(url) is None
    with DatabaseLock(url, "run") as lock:
        asyncio.run(lock.acquire(0, SystemClock()))
        found = files_of(rig)["database.lock"]
        assert found.state == "ok"
        assert found.what.startswith(f"`slotbridge run`, process {os.getpid()} on {socket.gethostname()}, works on it")
        assert lock.held
    assert files_of(rig)["database.lock"].what == "nobody works on it"


def test_a_lock_whose_owner_died_is_free(rig: Rig) -> None:
    note = f'{{"pid": 1, "host": "{socket.gethostname()}", "command": "sync", "since": "2026-05-14T00:00:00Z"}}'
    lock = rig.database.with_name("slotbridge.db.lock")
    lock.write_text(note)
    assert "works on it since" not in files_of(rig)["database.lock"].what
    lock.write_text(note.replace(socket.gethostname(), "elsewhere"))
    assert "works on it since 2026-05-14" in files_of(rig)["database.lock"].what


@pytest.mark.parametrize("note", ["", "[]", "{}", "null", '{"pid": "x"}', "\x00"])
def test_a_lock_file_that_says_nothing_is_no_failure(rig: Rig, note: str) -> None:
    rig.database.with_name("slotbridge.db.lock").write_text(note)
    assert files_of(rig)["database.lock"].what == "nobody works on it"


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (None, []),
        (59.0, [("ok", "its clock and this machine's agree within 60 s")]),
        (61.0, [("warning", "this machine's clock is 61 s behind that of ReserveKit")]),
        (-600.0, [("warning", "this machine's clock is 10 min ahead of that of ReserveKit")]),
        (7300.0, [("warning", "this machine's clock is 2.0 h behind that of ReserveKit")]),
    ],
)
def test_a_clock_that_is_off_is_told(ahead: float | None, told: list[tuple[str, str]]) -> None:
    assert [(one.state, one.what) for one in clocks("reservekit", ahead)] == told


def test_a_store_that_is_open_elsewhere_does_not_matter(business: Rig) -> None:
    business.run()
    store = Store.open(f"sqlite:///{business.database}", clock=business.clock)
    assert files_of(business)["database.integrity"].state == "ok"
    store.close()


def test_no_secret_is_found_in_any_finding(business: Rig) -> None:
    body = '{"error": "no", "error_description": "sk_rsv_sandbox, POST /rest/1/sandbox/scope"}'
    business.world.faults.append(Fault("", "answer", times=99, status=403, body=body))
    said = repr(examined(business).findings)
    assert "sk_rsv_sandbox" not in said
    assert "rest/1/sandbox" not in said
