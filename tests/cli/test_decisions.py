from __future__ import annotations

from typing import get_args

import pytest

from slotbridge.cli.render.decisions import ways_out
from slotbridge.reconcile.model import HoldKind

from .weeks import hold

ALL = {"sync", "resolve"}


@pytest.mark.parametrize("kind", get_args(HoldKind))
@pytest.mark.parametrize("commands", [ALL, {"sync"}])
def test_every_hold_says_what_to_do_and_names_only_commands_that_exist(kind: HoldKind, commands: set[str]) -> None:
    ways = ways_out(hold(kind), commands)
    assert ways
    assert not ways[0].startswith("or ")
    assert {way.split()[1] for way in ways if way.startswith("slotbridge ")} <= commands


@pytest.mark.parametrize("kind", ["conflict", "first-sync", "agreement"])
def test_a_side_can_be_kept(kind: HoldKind) -> None:
    waiting = hold(kind)
    assert ways_out(waiting, ALL)[:2] == [
        f"slotbridge resolve {waiting.id} --keep bitrix24",
        f"slotbridge resolve {waiting.id} --keep reservekit",
    ]


@pytest.mark.parametrize("kind", ["deletions", "booked", "oscillation"])
def test_a_change_can_be_approved(kind: HoldKind) -> None:
    waiting = hold(kind)
    assert ways_out(waiting, ALL)[0] == f"slotbridge resolve {waiting.id} --approve"


def test_a_name_is_quoted_for_the_shell() -> None:
    waiting = hold("deletions", pair="Dr. O'Hara")
    assert """slotbridge sync --pair 'Dr. O'"'"'Hara' --accept-deletes""" in ways_out(waiting, ALL)
    assert "slotbridge sync --pair dental --initial merge" in ways_out(hold("first-sync"), ALL)
