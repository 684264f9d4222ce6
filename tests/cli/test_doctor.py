"""`doctor`: its words, its document, its exit codes; and that it leaves no trace."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from slotbridge.cli.doctor import show_examination
from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.doctor import examination_json, examination_lines
from slotbridge.lenses.items import Range, TimeSlot
from slotbridge.lenses.terms import Terms
from slotbridge.sandbox.control import state_of
from slotbridge.sandbox.traffic import Fault
from slotbridge.settings import PairSettings
from slotbridge.sync.examination import Finding, Setting
from slotbridge.sync.examination_weeks import Week
from slotbridge.sync.examining import Examination

from .conftest import Result, Shell, Terminal

WRITES = Finding(
    "reservekit.writes",
    "problem",
    "this key may not write",
    "Use another key",
    Setting("[sync]", 'direction = "to-bitrix24"'),
)
PAIR = PairSettings(name="dental", resource_id=15, service_id=123)
TERMS = Terms("Europe/Berlin", date(2026, 3, 2))
SLOTS = tuple(
    TimeSlot(number, day, f"2024-01-01 {start}:00", f"2024-01-01 {end}:00", bookings)
    for number, (day, start, end, bookings) in enumerate(
        [(6, "22:00", "00:00", 1), (0, "14:00", "18:00", 8), (0, "09:00", "12:00", 6)], start=1
    )
)


def doctor(shell: Shell, *, as_json: bool = False, terminal: bool = False, **environ: str) -> Result:
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    given = {
        "SLOTBRIDGE_SECRETS_DIR": str(shell.folder / "none"),
        "SLOTBRIDGE_RESERVEKIT__REQUESTS_PER_SECOND": "1000",
        "COLUMNS": "120",
        **environ,
    }
    invocation = Invocation(out, err, given, config=shell.config, as_json=as_json)
    try:
        ended = show_examination(invocation)
    except Exception as error:
        ended = invocation.failed(error)
    return Result(ended, out.getvalue(), err.getvalue())


def text(*findings: Finding, weeks: tuple[Week, ...] = (), picture: bool = False) -> list[str]:
    found = Examination(findings, weeks, {"bitrix24": 3, "reservekit": 9})
    return [line.plain for line in examination_lines(found, picture=picture)]


# Against the sandbox


def test_a_healthy_business_exits_with_0_and_leaves_no_trace(shell: Shell) -> None:
    before = state_of(shell.world)
    done = doctor(shell)
    assert (done.code, done.err) == (0, "")
    heads = [line for line in done.out.splitlines() if line in ("Configuration", "Database", "Bitrix24", "ReserveKit")]
    assert heads == ["Configuration", "Database", "Bitrix24", "ReserveKit"]
    assert done.last.endswith(" 0 problems. Requests: Bitrix24 3, ReserveKit 9. Nothing was changed.")
    assert "  Dental check-up, service 123, Europe/Berlin\n    Mon  09:00–12:00 (6 bookings), 14:00" in done.out
    assert "  Orthodontics, service 124, Europe/Berlin\n    no hours\n" in done.out
    assert "is Monday right" in done.out.splitlines()[-2]
    assert "█" not in done.out
    assert len(shell.world.log) == 12
    assert state_of(shell.world) == before
    assert [path.name for path in shell.folder.iterdir()] == ["slotbridge.toml"]


def test_a_terminal_shows_the_week_as_a_picture(shell: Shell) -> None:
    assert "   Mon ······██████····████████········\n" in doctor(shell, terminal=True).out


def test_the_document(shell: Shell) -> None:
    done = doctor(shell, as_json=True)
    document = done.document
    assert (done.code, set(document)) == (0, {"version", "findings", "weeks", "requests"})
    assert (document["version"], document["requests"]) == (1, {"bitrix24": 3, "reservekit": 9})
    assert {frozenset(each) for each in document["findings"]} == {
        frozenset({"id", "state", "what", "hint", "setting", "table", "pair"})
    }
    assert document["weeks"][3] == {
        "pair": "Emergency room",
        "zone": "Europe/Berlin",
        "windows": [{"weekday": day, "start": 0, "end": 1440, "max_bookings": 24} for day in (5, 6)],
    }
    budget = next(each for each in document["findings"] if each["id"] == "reservekit.budget")
    assert (budget["state"], budget["table"], budget["setting"]) == ("warning", "[sync]", 'interval = "19m"')
    assert budget["what"].startswith("4 pairs every 5 min = 34,560 a month; starter has 10,000: every 19 min fits")


def test_a_plan_by_contract_may_name_its_number(shell: Shell) -> None:
    done = doctor(shell, as_json=True, SLOTBRIDGE_RESERVEKIT__PLAN="growth")
    budget = next(each for each in done.document["findings"] if each["id"] == "reservekit.budget")
    assert (budget["state"], budget["table"]) == ("ok", "[reservekit]")
    assert budget["setting"].startswith("requests_per_month = ")


def test_what_was_sent_this_month_is_told_and_its_own_requests_are_not_counted(shell: Shell) -> None:
    shell.call("sync", "--pair", "Emergency room")
    sent = sum(request.api == "reservekit" for request in shell.world.log)
    kept = shell.database.read_bytes()
    done = doctor(shell, SLOTBRIDGE_SYNC__INTERVAL="19m")
    assert f"  ✓ 4 pairs every 19 min = 9,095 a month; starter has 10,000; {sent} were sent this month\n" in done.out
    assert shell.database.read_bytes() == kept


def test_the_pages_that_it_sees_itself_are_counted_without_any_run_before(shell: Shell) -> None:
    reservations = shell.world.reservations
    reservations.behaviour = replace(reservations.behaviour, max_page_size=2)
    found = doctor(shell, as_json=True).document["findings"]
    budget = next(each for each in found if each["id"] == "reservekit.budget")
    assert budget["state"] == "warning"
    assert not budget["what"].startswith("4 pairs every 5 min = 34,560 a month")
    minutes = budget["setting"].removeprefix('interval = "').removesuffix('m"')
    assert f"every {minutes} min fits" in budget["what"]
    assert int(minutes) > 19


def test_a_problem_exits_with_1_and_the_other_side_is_told_all_the_same(shell: Shell) -> None:
    shell.world.faults.append(Fault("", "answer", times=99, api="reservekit", status=401, body="{}"))
    done = doctor(shell)
    assert done.code == 1
    assert "  ✗ services: answered 401: {}\n    Check [reservekit] api_key" in done.out
    assert "  ✓ each pair's resource shows its hours\n" in done.out
    assert ", 1 problem. Requests: " in done.last


def test_a_wrong_configuration_exits_with_2_and_asks_nobody(shell: Shell) -> None:
    done = doctor(shell, as_json=True, SLOTBRIDGE_RESERVEKIT__DAY_ZERO="tuesday")
    assert (done.code, done.document["error"]["kind"]) == (2, "ConfigurationError")
    assert shell.world.log == []


def test_a_database_that_is_of_no_use_is_a_problem_and_stops_nothing(shell: Shell) -> None:
    shell.database.write_text("not a database, but long enough to be told apart from one" * 20)
    done = doctor(shell)
    assert done.code == 1
    assert "  ✗ it is not an SQLite database\n" in done.out
    assert "  ✓ this key may write time slots\n" in done.out


def test_no_secret_is_told(shell: Shell) -> None:
    echo = '{"error": "invalid_key", "error_description": "sk_rsv_sandbox, POST /rest/1/sandbox/batch"}'
    shell.world.faults.append(Fault("", "answer", times=99, status=403, body=echo))
    for done in (doctor(shell), doctor(shell, as_json=True)):
        assert done.code == 1
        assert "rest/1/sandbox" not in done.out + done.err
        assert "sk_rsv_sandbox" not in done.out + done.err


# Words


def test_a_finding_says_what_to_do_and_what_to_configure() -> None:
    assert text(WRITES) == [
        "ReserveKit",
        "  ✗ this key may not write",
        "    Use another key",
        '    in [sync]: direction = "to-bitrix24"',
        "0 ok, 0 warnings, 1 problem. Requests: Bitrix24 3, ReserveKit 9. Nothing was changed.",
    ]


def test_rooms_come_in_their_order_and_findings_in_theirs() -> None:
    mixed = (WRITES, Finding("bitrix24.b", "ok", "two"), Finding("database.x", "warning", "one", pair="dental"))
    assert text(*mixed, Finding("bitrix24.a", "ok", "three"))[:6] == [
        "Database",
        "  ! dental: one",
        "Bitrix24",
        "  ✓ two",
        "  ✓ three",
        "ReserveKit",
    ]


def test_the_hours_of_a_day_stand_in_one_line() -> None:
    week = Week(PAIR, TERMS, SLOTS, None)
    assert text(weeks=(week,))[1:4] == [
        "  dental, service 123, Europe/Berlin",
        "    Mon  09:00–12:00 (6 bookings), 14:00–18:00 (8 bookings)",
        "    Sun  22:00–24:00 (1 booking)",
    ]


@pytest.mark.parametrize(("ranges", "drawn"), [((), True), (None, False)])
def test_the_picture_needs_both_sides(ranges: tuple[Range, ...] | None, drawn: bool) -> None:
    lines = text(weeks=(Week(PAIR, TERMS, SLOTS, ranges),), picture=True)
    assert any("▄" in line for line in lines) is drawn
    assert lines[-4:-2] == text(weeks=(Week(PAIR, TERMS, SLOTS, ranges),))[-4:-2]


def test_names_from_the_servers_cannot_command_the_terminal() -> None:
    evil: Any = "a\x1b[2Jb"
    week = Week(PAIR.model_copy(update={"name": evil}), TERMS, (), ())
    shown = text(Finding("bitrix24.slots", "problem", evil, evil, Setting(evil, evil), evil), weeks=(week,))
    assert "\x1b" not in "".join(shown)


def test_the_document_has_all_of_a_finding() -> None:
    (finding,) = examination_json(Examination((WRITES,), (), {}))["findings"]
    assert finding == {
        "id": "reservekit.writes",
        "state": "problem",
        "what": "this key may not write",
        "hint": "Use another key",
        "setting": 'direction = "to-bitrix24"',
        "table": "[sync]",
        "pair": None,
    }
