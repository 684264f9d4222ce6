"""The commands over real HTTP, against the sandbox."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from slotbridge.clock import SystemClock
from slotbridge.lenses.items import Range
from slotbridge.sandbox.control import state_of
from slotbridge.sandbox.traffic import Fault
from slotbridge.store import DatabaseLock

from .conftest import Shell

ECHO = '{"error": "invalid_key", "error_description": "sk_rsv_sandbox, POST /rest/1/sandbox/batch"}'


def wipe(shell: Shell) -> tuple[Range, ...]:
    before = shell.world.portal.slots(16)
    shell.world.portal.put_slots(16, [])
    return before


def test_W8_a_dry_run_writes_nothing_anywhere(shell: Shell) -> None:
    before = state_of(shell.world)
    done = shell.call("sync", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert "Orthodontics: would change" in done.out
    assert done.last.endswith("Dry run: nothing was written.")
    assert state_of(shell.world) == before
    assert [path.name for path in shell.folder.iterdir()] == ["slotbridge.toml"]


def test_a_dry_run_can_tell_changes_by_its_exit_code(shell: Shell) -> None:
    assert shell.call("sync", "--dry-run", "--exit-code").code == 4
    assert shell.call("sync", "--exit-code").code == 0
    assert shell.call("sync", "--dry-run", "--exit-code").code == 0


def test_a_run_brings_both_sides_in_step_and_the_next_is_quiet(shell: Shell) -> None:
    done = shell.call("sync")
    assert done.code == 0
    assert done.last.startswith("4 pairs: 2 changed, 2 quiet. Requests: ")
    assert len(shell.world.reservations.slots(124)) == 3
    writes = shell.writes()
    assert shell.call("sync").last == "4 pairs: 4 quiet. Requests: Bitrix24 1, ReserveKit 4."
    assert shell.writes() == writes


def test_the_document_of_a_run(shell: Shell) -> None:
    done = shell.call("sync", "--json", "--pair", "Orthodontics")
    assert (done.code, done.err) == (0, "")
    assert (done.document["version"], done.document["dry_run"]) == (1, False)
    (pair,) = done.document["pairs"]
    assert (pair["name"], pair["status"], pair["error"]) == ("Orthodontics", "changed", None)
    assert {(change["side"], change["op"]) for change in pair["changes"]} == {("reservekit", "create")}
    assert done.document["requests"]["bitrix24"] > 0


def test_pairs_are_run_in_the_order_of_the_configuration(shell: Shell) -> None:
    done = shell.call("sync", "--dry-run", "--json", "--pair", "Teeth cleaning", "--pair", "Orthodontics")
    assert [pair["name"] for pair in done.document["pairs"]] == ["Orthodontics", "Teeth cleaning"]


def test_an_unknown_pair_is_told_with_the_nearest(shell: Shell) -> None:
    for command in (["sync", "--pair", "orthodontic"], ["show", "orthodontic"]):
        done = shell.call(*command)
        assert done.code == 2
        assert '"orthodontic": unknown; did you mean "Orthodontics"?' in done.err
    assert shell.world.log == []
    assert not shell.database.exists()


def test_no_pairs_say_what_to_add(shell: Shell) -> None:
    text, _, _ = shell.config.read_text(encoding="utf-8").partition("[[pairs]]")
    shell.config.write_text(text, encoding="utf-8")
    done = shell.call("sync")
    assert done.code == 2
    assert "[[pairs]]" in done.err
    assert "slotbridge discover" in done.err


def test_G1_a_wiped_side_is_held_and_deletions_can_be_accepted(shell: Shell) -> None:
    shell.call("sync")
    wipe(shell)
    assert shell.call("sync", "--dry-run").code == 3
    done = shell.call("sync")
    assert done.code == 3
    assert f"{shell.program} sync --pair Orthodontics --accept-deletes" in done.out
    assert len(shell.world.reservations.slots(124)) == 3
    assert shell.call("sync", "--pair", "Orthodontics", "--accept-deletes").code == 0
    assert shell.world.reservations.slots(124) == ()


def test_M6_a_first_sync_that_is_held_can_be_decided_for_one_run(shell: Shell) -> None:
    shell.world.reservations.add_slot(124, 1, 540, 900, 3)
    done = shell.call("sync", "--pair", "Orthodontics")
    assert done.code == 3
    assert f"{shell.program} sync --pair Orthodontics --initial bitrix24" in done.out
    assert shell.call("sync", "--pair", "Orthodontics", "--initial", "bitrix24").code == 0
    assert {(slot.day, slot.start) for slot in shell.world.reservations.slots(124)} == {(1, 600), (3, 600), (5, 540)}


def test_W7_one_pair_that_fails_does_not_stop_the_others(shell: Shell) -> None:
    shell.world.reservations.remove_service(123)
    done = shell.call("sync")
    assert done.code == 1
    assert "Dental check-up: failed\n  error: ReserveKit, service 123: " in done.out
    assert len(shell.world.reservations.slots(124)) == 3
    assert "1 failed, 2 changed, 1 quiet" in done.last


def test_a_key_that_is_bound_to_a_domain_says_what_is_missing_and_works_with_it(shell: Shell) -> None:
    shell.world.reservations.behaviour = replace(shell.world.reservations.behaviour, origin="https://www.example.com")
    refused = shell.call("sync")
    assert refused.code == 1
    assert "[reservekit] origin" in refused.out
    assert shell.call("sync", SLOTBRIDGE_RESERVEKIT__ORIGIN="https://www.example.com").code == 0
    assert len(shell.world.reservations.slots(124)) == 3


def test_S13_a_second_process_waits_and_then_gives_up(shell: Shell) -> None:
    with DatabaseLock(f"sqlite:///{shell.database}", "run") as lock:
        asyncio.run(lock.acquire(0, SystemClock()))
        done = shell.call("sync", "--wait", "0", "--json")
        assert (done.code, done.document["error"]["kind"]) == (5, "LockHeld")
        assert shell.call("sync", "--dry-run").code == 0
    assert shell.call("sync", "--wait", "0").code == 0


def test_show_puts_both_weeks_next_to_each_other(shell: Shell) -> None:
    done = shell.call("show", "Orthodontics")
    assert (done.code, done.err) == (0, "")
    assert " ≠ Tue  10:00–16:00, slotSize 60  –           only in Bitrix24: new in Bitrix24\n" in done.out
    assert "█" not in done.out
    assert "▀▀▀▀" in shell.call("show", "Orthodontics", terminal=True).out
    assert shell.writes() == 0
    assert not shell.database.exists()


def test_show_as_json(shell: Shell) -> None:
    document = shell.call("show", "Emergency room", "--json").document
    assert [(w["weekday"], w["start"], w["end"], w["state"]) for w in document["windows"]] == [
        (5, 0, 1440, "same"),
        (6, 0, 1440, "same"),
    ]


def test_show_fails_honestly(shell: Shell) -> None:
    shell.world.faults.append(Fault("time-slots", "html", times=9))
    done = shell.call("show", "Orthodontics", "--json")
    assert done.code == 1
    assert done.document["error"]["side"] == "reservekit"


def test_status_asks_nobody(shell: Shell) -> None:
    assert shell.call("status").out.startswith("Nothing has run yet")
    assert not shell.database.exists()
    assert shell.world.log == []
    shell.call("sync")
    wipe(shell)
    shell.call("sync")
    sent = len(shell.world.log)
    document = shell.call("status", "--json").document
    states = {pair["name"]: (pair["state"], pair["windows"]) for pair in document["pairs"]}
    assert states["Orthodontics"] == ("held", 3)
    assert states["Emergency room"] == ("in-step", 2)
    assert document["requests"]["bitrix24"]["used"] + document["requests"]["reservekit"]["used"] == sent
    assert document["requests"]["reservekit"]["per_month"] == 10_000
    assert len(shell.world.log) == sent


def test_status_counts_the_pages_that_the_last_run_saw(shell: Shell) -> None:
    plain = "4 pairs every 5 min = 34,560 a month; starter has 10,000: every 19 min fits."
    assert shell.call("status").last == plain
    reservations = shell.world.reservations
    reservations.behaviour = replace(reservations.behaviour, max_page_size=4)
    shell.call("sync", "--dry-run")
    assert shell.call("status").last == plain
    shell.call("sync")
    sent = len(shell.world.log)
    shell.call("sync")
    asked = sum(request.api == "reservekit" for request in shell.world.log[sent:])
    assert asked > 4
    assert shell.call("status").last.startswith(f"4 pairs every 5 min = {asked * 8640:,} a month; starter has 10,000")
    assert shell.call("status", "--json").document["advice"]["fits"] is False


def test_status_tells_of_failures(shell: Shell) -> None:
    shell.world.reservations.remove_service(123)
    shell.call("sync")
    done = shell.call("status")
    assert done.code == 0
    assert "Dental check-up: 1 failure in a row since just now" in done.out


def test_discover_works_without_pairs_and_what_it_proposes_works(shell: Shell, tmp_path: Path) -> None:
    sides, _, _ = shell.config.read_text(encoding="utf-8").partition("[[pairs]]")
    shell.config.write_text(sides, encoding="utf-8")
    done = shell.call("discover")
    assert done.code == 0
    shell.config.write_text(sides + done.out[done.out.index("# 4 pairs") :], encoding="utf-8")
    assert shell.call("discover").last == "No further pair is obvious from the names."
    assert shell.call("sync", "--dry-run").last.startswith("4 pairs: ")


def test_no_secret_is_ever_told(shell: Shell) -> None:
    said = [
        shell.call(*command, "--json") for command in (["sync"], ["status"], ["discover"], ["show", "Orthodontics"])
    ]
    shell.world.faults.append(Fault("", "answer", times=99, status=403, body=ECHO))
    said += [shell.call("--log-level", "debug", "sync"), shell.call("--log-level", "debug", "discover")]
    assert [result.code for result in said] == [0, 0, 0, 0, 1, 1]
    assert not any("rest/1/sandbox" in text or "sk_rsv_sandbox" in text for _, *texts in said for text in texts)


@pytest.mark.parametrize(("told", "code_of_it"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_a_run_at_once_and_the_next_goes_on(
    shell: Shell, told: signal.Signals, code_of_it: int
) -> None:
    shell.world.faults.append(Fault("slots.list", "slow", seconds=60))
    code = "import sys; from slotbridge.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "--config", str(shell.config), "sync"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not any(request.api == "bitrix24" for request in shell.world.log):
            time.sleep(0.02)
        process.send_signal(told)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (code_of_it, "")
    assert err == "Interrupted. Run the same command again to go on.\n"
    assert shell.call("sync").code == 0
