"""`verify`: exit codes and words; it changes nothing and leaves nothing behind."""

from __future__ import annotations

import pytest

from slotbridge.cli import main
from slotbridge.cli.render.verify import Verification, verification_json, verification_lines
from slotbridge.errors import NotFound
from slotbridge.reconcile.verify import Disagreement
from slotbridge.sandbox.control import state_of
from slotbridge.sync.bridge import Verified

from .conftest import Shell

ONE_SIDED = Disagreement("one-sided", "Mon 09:00–12:00 is in Bitrix24: new, not in ReserveKit", True)
SILENT = Disagreement("capacity", "Mon: slotSize 60, max_bookings 3", False, True)
GONE = NotFound("the service does not exist", side="reservekit", item="service 9", hint="Check service_id")


def verification(*pairs: Verified) -> Verification:
    return Verification(pairs, {"bitrix24": 1, "reservekit": 2})


def text(*pairs: Verified) -> list[str]:
    return [line.plain for line in verification_lines(verification(*pairs))]


def test_S10_pairs_in_step_exit_with_0(shell: Shell) -> None:
    shell.call("sync")
    done = shell.call("verify")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "Dental check-up: in step"
    assert done.last == "4 pairs: 4 in step. Requests: Bitrix24 1, ReserveKit 4."


def test_S10_sides_that_disagree_exit_with_3(shell: Shell) -> None:
    done = shell.call("verify", "--pair", "Orthodontics")
    assert done.code == 3
    assert "  ≠ one-sided: Tue 10:00–16:00 is in Bitrix24: new, not in ReserveKit\n" in done.out
    assert done.last.startswith("1 pair: 1 not in step. Requests: ")


def test_names_that_differ_where_they_follow_exit_with_3(shell: Shell) -> None:
    shell.call("sync")
    config = shell.folder / "slotbridge.toml"
    config.write_text(config.read_text().replace("[store]", '[sync]\nnames = "bitrix24"\n[store]'))
    shell.call("sync")
    assert shell.call("verify").code == 0
    shell.world.portal.edit_resource(16, name="Dr. Adams")
    done = shell.call("verify", "--pair", "Orthodontics")
    assert (done.code, done.last.split(".")[0]) == (3, "1 pair: 1 not in step")
    said = 'the name is "Dr. Adams" in Bitrix24, "Orthodontics" in ReserveKit; edited in Bitrix24'
    assert f"  ≠ name: {said}\n" in done.out


def test_a_pair_that_cannot_be_read_exits_with_1_and_the_others_are_told(shell: Shell) -> None:
    shell.world.reservations.remove_service(123)
    done = shell.call("verify")
    assert done.code == 1
    assert "Dental check-up: failed\n  error: ReserveKit, service 123: " in done.out
    assert "Orthodontics: not in step\n" in done.out
    assert done.last.startswith("4 pairs: 1 failed, 2 not in step, 1 in step.")


def test_what_concerns_the_memory_alone_is_told_and_exits_with_0(shell: Shell) -> None:
    done = shell.call("verify", "--pair", "Emergency room")
    assert done.code == 0
    assert "Emergency room: in step\n  · base: Sat 00:00–24:00 is on both sides and not remembered yet\n" in done.out


def test_the_silent_kind_is_found_after_a_quiet_sync(shell: Shell) -> None:
    shell.call("sync")
    (saturday,) = [slot.id for slot in shell.world.reservations.slots(124) if slot.day == 5]
    shell.world.reservations.edit_slot(saturday, end=720)
    shell.call("sync")
    assert shell.call("sync", "--pair", "Orthodontics").last.startswith("1 pair: 1 quiet.")
    done = shell.call("verify", "--pair", "Orthodontics")
    assert done.code == 0
    assert "max_bookings 4 in ReserveKit, which do not convert into each other" in done.out
    assert "; neither side was edited since they agreed\n" in done.out


def test_nothing_is_written_anywhere(shell: Shell) -> None:
    before = state_of(shell.world)
    shell.call("verify")
    assert (state_of(shell.world), shell.writes()) == (before, 0)
    assert [path.name for path in shell.folder.iterdir()] == ["slotbridge.toml"]
    shell.call("sync")
    kept = shell.database.read_bytes()
    shell.call("verify")
    assert shell.database.read_bytes() == kept


def test_the_document(shell: Shell) -> None:
    done = shell.call("verify", "--json", "--pair", "Orthodontics", "--pair", "Emergency room")
    ortho, room = done.document["pairs"]
    assert (done.code, done.document["version"], set(done.document["requests"])) == (3, 1, {"bitrix24", "reservekit"})
    assert (ortho["name"], ortho["agrees"], ortho["error"]) == ("Orthodontics", False, None)
    assert set(ortho["disagreements"][0]) == {"kind", "what", "between_sides", "silent"}
    assert (room["agrees"], room["disagreements"][0]["kind"]) == (True, "base")


def test_an_unknown_pair_is_wrong_usage(shell: Shell) -> None:
    done = shell.call("verify", "--pair", "orthodontic")
    assert (done.code, shell.world.log) == (2, [])
    assert 'did you mean "Orthodontics"?' in done.err


def test_a_terminal_sees_what_is_going_on(shell: Shell) -> None:
    done = shell.call("verify", terminal=True)
    assert done.code == 3
    assert "\x1b[1;33mnot in step" in done.out


@pytest.mark.parametrize("command", ["holds", "resolve", "history", "verify"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Usage: slotbridge {command}" in capsys.readouterr().out


# Words


def test_a_failure_says_where_and_what_next() -> None:
    assert text(Verified("dental", (), GONE)) == [
        "dental: failed",
        "  error: ReserveKit, service 9: the service does not exist",
        "  Check service_id",
        "1 pair: 1 failed. Requests: Bitrix24 1, ReserveKit 2.",
    ]


def test_the_worst_is_counted_first() -> None:
    pairs = (Verified("a", ()), Verified("b", (ONE_SIDED,)), Verified("c", (), GONE))
    assert text(*pairs)[-1].startswith("3 pairs: 1 failed, 1 not in step, 1 in step.")


def test_names_from_the_servers_cannot_command_the_terminal() -> None:
    shown = text(Verified("dent\x1bal", (Disagreement("unsupported", "day \x1b[2J", False),)))
    assert shown[:2] == ["dent�al: in step", "  · unsupported: day �[2J"]


def test_the_document_tells_errors_and_the_silent_kind() -> None:
    failed, silent = verification_json(verification(Verified("a", (), GONE), Verified("b", (SILENT,))))["pairs"]
    assert (failed["agrees"], failed["error"]["kind"]) == (False, "NotFound")
    assert (silent["agrees"], silent["disagreements"][0]["silent"]) == (True, True)
