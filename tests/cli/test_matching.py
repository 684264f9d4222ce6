from __future__ import annotations

import pytest

from slotbridge.bitrix24 import Resource
from slotbridge.cli.matching import plain, propose
from slotbridge.cli.render.candidates import Candidates, candidates_json, candidates_lines
from slotbridge.reservekit import Service
from slotbridge.settings import PairSettings


def matched(resources: dict[int, str], services: dict[int, str]) -> list[tuple[int, int]]:
    found = propose(
        [Resource(number, name) for number, name in resources.items()],
        [Service(number, name, None) for number, name in services.items()],
    )
    return [(proposal.resource_id, proposal.service_id) for proposal in found]


@pytest.mark.parametrize(
    ("one", "two"),
    [("Dental", "dental "), ("Zähne", "ZAHNE"), ("Check-up", "Check up"), ("Straße", "STRASSE"), ("Raum 1", "Raum1")],
)
def test_case_spaces_and_accents_do_not_count(one: str, two: str) -> None:
    assert plain(one) == plain(two)
    assert matched({1: one}, {9: two}) == [(1, 9)]


def test_equal_names_come_before_alike_ones() -> None:
    assert matched({1: "Orthodontic", 2: "Orthodontics"}, {9: "Orthodontics"}) == [(2, 9)]
    assert matched({1: "Orthodontist"}, {9: "Orthodontics"}) == [(1, 9)]


def test_names_that_are_not_alike_are_not_proposed() -> None:
    assert matched({1: "Dental", 2: "", 3: "---"}, {9: "Massage", 10: "", 11: "***"}) == []


def test_each_is_proposed_once_the_lower_numbers_first() -> None:
    assert matched({2: "Room", 1: "Room"}, {9: "Room", 8: "room"}) == [(1, 8), (2, 9)]


def candidates(*pairs: PairSettings) -> Candidates:
    resources = (Resource(1, "Room"), Resource(2, "room "), Resource(3, 'The "blue" one\x1b'))
    services = (Service(8, "Room", "Europe/Berlin"), Service(9, "ROOM", None), Service(10, "The blue ones", "UTC"))
    return Candidates(resources, services, pairs)


def test_pairs_are_ready_to_paste_and_have_names_of_their_own() -> None:
    shown = "\n".join(line.plain for line in candidates_lines(candidates()))
    assert '[[pairs]]\nname = "Room"\nresource_id = 1\nservice_id = 8\n' in shown
    assert 'name = "room"\nresource_id = 2\nservice_id = 9\n# timezone = "Europe/Berlin"   # needed' in shown
    assert r'name = "The \"blue\" one�"' in shown
    assert "# the names are alike, not equal" in shown


def test_what_is_paired_is_said_and_not_proposed_again() -> None:
    found = candidates(PairSettings(name="Room", resource_id=1, service_id=9))
    document = candidates_json(found)
    assert [resource["pair"] for resource in document["resources"]] == ["Room", None, None]
    first = document["proposals"][0]
    assert (first["name"], first["resource_id"], first["service_id"]) == ("room", 2, 8)
    assert any('(no time zone, paired as "Room")' in line.plain for line in candidates_lines(found))


def test_a_name_that_is_taken_gets_the_number() -> None:
    found = Candidates(
        (Resource(1, "Room"),), (Service(8, "Room", "UTC"),), (PairSettings(name="Room", resource_id=5, service_id=5),)
    )
    assert list(found.names.values()) == ["Room (1)"]


def test_nothing_to_propose() -> None:
    *_, last = candidates_lines(Candidates((), (), ()))
    assert last.plain == "No further pair is obvious from the names."
