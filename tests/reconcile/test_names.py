"""What a name becomes on the other side: the leader's, unless nobody edited it, and never more than fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbridge.reconcile.model import Side, other
from slotbridge.reconcile.names import ROOM, Names, Profile, cut, follow, held_print, hold_renaming

SIDES: list[Side] = ["bitrix24", "reservekit"]
texts = st.text(st.sampled_from("aÄ \n\u0301\u200d👩🏽"), max_size=90)
profiles = st.builds(Profile.of, texts, texts)
pairs = st.builds(Names, profiles, profiles)


def names(one: str, two: str, leader: Side = "bitrix24") -> Names:
    """The leader's name, then the other's."""
    return Names(Profile(one), Profile(two)) if leader == "bitrix24" else Names(Profile(two), Profile(one))


@pytest.mark.parametrize("leader", SIDES)
@pytest.mark.parametrize(
    ("base", "shown", "after", "lost", "why"),
    [
        (None, ("a", "b"), "a", None, "leads"),
        (None, ("a", "a"), "a", None, "leads"),
        (("a", "a"), ("a", "a"), "a", None, ""),
        (("a", "x"), ("a", "x"), "x", None, ""),
        (("a", "a"), ("b", "a"), "b", None, "edited in"),
        (("a", "a"), ("b", "b"), "b", None, ""),
        (("a", "a"), ("a", "b"), "a", "b", "but"),
        (("a", "a"), ("b", "c"), "b", "c", "on both sides"),
        (("a", "x"), ("a", "y"), "a", "y", "but"),
        (("a", "a"), ("", "a"), "a", None, ""),
        (("a", "a"), ("", "b"), "b", None, ""),
    ],
)
def test_what_the_other_side_is_called(
    leader: Side, base: tuple[str, str] | None, shown: tuple[str, str], after: str, lost: str | None, why: str
) -> None:
    renaming = follow(None if base is None else names(*base, leader), names(*shown, leader), leader)
    assert (renaming.side, renaming.before.name, renaming.after.name) == (other(leader), shown[1], after)
    assert (renaming.lost and renaming.lost.fields) == (None if lost is None else {"name": lost})
    assert why in renaming.why


def test_each_field_goes_its_own_way() -> None:
    base = Names(Profile("long name", "old"), Profile("cut", "old"))
    renaming = follow(base, Names(Profile("long name", "new"), Profile("cut", "old")), "bitrix24")
    assert renaming.fields == {"description": "new"}
    assert renaming.change.before == {"description": "old"}


@given(st.none() | pairs, pairs, st.sampled_from(SIDES))
def test_what_was_written_is_agreed_on_and_then_nothing_is_left_to_do(
    base: Names | None, shown: Names, leader: Side
) -> None:
    renaming = follow(base, shown, leader)
    agreed = shown.having(renaming.side, renaming.after)
    assert agreed.of(leader) == shown.of(leader)
    assert follow(agreed, agreed, leader).fields == follow(agreed, agreed, other(leader)).fields == {}
    assert renaming.after.name or not renaming.before.name
    assert all(len(text) <= ROOM[renaming.side][field] for field, text in renaming.fields.items())


def test_null_and_empty_and_space_around_are_the_same() -> None:
    assert Profile.of(None, None) == Profile.of("", "") == Profile.of(" ", "\r\n") == Profile("", "")
    assert Profile.of(" Dr. A ", "one\r\ntwo\r\n") == Profile("Dr. A", "one\ntwo")


def test_half_a_character_is_none() -> None:
    assert Profile.of("\ud83d!", None) == Profile("?!")


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("ab cd", 3, "ab"),
        ("abe\u0301", 3, "ab"),
        ("ab👩🏽", 3, "ab"),
        ("a👩\u200d⚕", 3, "a"),
        ("\u0301" * 5, 3, "\u0301" * 3),
    ],
)
def test_C3_a_text_is_cut_between_characters(text: str, room: int, expected: str) -> None:
    assert cut(text, room) == expected


def test_a_write_has_a_name_that_tells_what_is_sent_on_top_of_what() -> None:
    one = follow(None, names("a", "b"), "bitrix24")
    assert one.digest == follow(names("x", "b"), names("a", "b"), "bitrix24").digest
    others = [("b", "a"), ("a", "c"), ("c", "b")]
    assert one.digest not in [follow(None, names(*shown), "bitrix24").digest for shown in others]
    assert one.towards(Profile("c")).digest == follow(None, names("a", "c"), "bitrix24").digest


def test_W6_a_held_name_shows_both_and_keeps_its_id() -> None:
    shown = names("Dr. A", "Dr. B")
    hold = hold_renaming("dental", follow(None, shown, "bitrix24"), shown, "read-only", "may not")
    assert hold.items == (
        {"bitrix24": 'name "Dr. A"', "reservekit": 'name "Dr. B"', "would_become": {"reservekit": 'name "Dr. A"'}},
    )
    again = names("Dr. C", "Dr. B")
    assert hold_renaming("dental", follow(None, again, "bitrix24"), again, "read-only", "may not").id == hold.id
    assert held_print("bitrix24") != held_print("reservekit")
