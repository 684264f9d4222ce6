from __future__ import annotations

from typing import get_args

import pytest

from slotbridge.cli.render.decisions import Counsel, ways_out
from slotbridge.reconcile.model import HoldKind

from .weeks import hold

ALL = Counsel()


@pytest.mark.parametrize("kind", get_args(HoldKind))
def test_every_hold_says_what_to_do(kind: HoldKind) -> None:
    ways = ways_out(hold(kind), ALL)
    assert ways
    assert not ways[0].startswith("or ")


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


@pytest.mark.parametrize("kind", ["conflict", "first-sync", "agreement"])
def test_M7_of_a_one_way_pair_nothing_is_offered_that_is_refused_then(kind: HoldKind) -> None:
    waiting = hold(kind)
    ways = ways_out(waiting, Counsel(followed={"dental": "bitrix24"}))
    assert [way for way in ways if " resolve " in way] == [f"slotbridge resolve {waiting.id} --keep bitrix24"]
    by_initial = ["slotbridge sync --pair dental --initial bitrix24"] if kind != "conflict" else []
    assert [way for way in ways if " sync " in way] == by_initial


@pytest.mark.parametrize("undoing", [None, 7])
def test_what_is_recommended_names_the_configuration_that_was_named(undoing: int | None) -> None:
    (way, *_) = ways_out(hold("deletions"), Counsel("slotbridge --config 'my files/one.toml'"), undoing=undoing)
    assert way.startswith("slotbridge --config 'my files/one.toml' ")
