"""What `doctor` says of `[[resource_types]]`: what a run would fail with, before it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from slotbridge.sandbox.traffic import Fault
from slotbridge.settings import ResourceTypeSettings
from slotbridge.sync.examination import Finding
from tests.sync.rig import Rig
from tests.sync.test_examination import business, examined

__all__ = ["business"]  # a fixture


def findings(rig: Rig, *declared: dict[str, Any]) -> Sequence[Finding]:
    kinds = tuple(ResourceTypeSettings(**fields) for fields in declared)
    return [found for found in examined(rig, resource_types=kinds).findings if found.id == "bitrix24.types"]


@pytest.fixture
def type_id(business: Rig) -> int:
    return business.world.portal.add_type("Doctors", "doctors")


def test_without_a_declaration_nothing_is_asked_or_said(business: Rig) -> None:
    assert findings(business) == []
    assert not any("resourceType" in logged.path for logged in business.world.log)


def test_declarations_that_can_be_carried_out_are_one_good_word(business: Rig, type_id: int) -> None:
    (found,) = findings(business, {"id": type_id, "code": "dentists", "name": "Dentists"})
    assert (found.state, found.hint) == ("ok", None)


def test_an_id_that_the_portal_does_not_have_is_a_problem_with_those_it_has(business: Rig, type_id: int) -> None:
    (found,) = findings(business, {"id": type_id, "name": "Doctors"}, {"id": 99, "code": "rooms"})
    assert (found.state, found.what) == ("problem", "resource type 99: there is none with this id")
    assert str(found.hint).startswith("Check the id in [[resource_types]]; the portal has ")
    assert f"{type_id} (Doctors)" in str(found.hint)


def test_a_portal_without_any_type_says_so(business: Rig) -> None:
    business.world.portal.types.clear()
    (found,) = findings(business, {"id": 1})
    assert str(found.hint).endswith("the portal has none at all yet")


def test_a_code_that_would_be_refused_is_a_problem_with_one_that_is_free(business: Rig, type_id: int) -> None:
    (found,) = findings(business, {"id": type_id, "name": "Dentists"})
    assert found.state == "problem"
    assert 'cannot be changed with the code "doctors"' in found.what
    assert 'code = "doctors_2"' in str(found.hint)


def test_a_list_that_cannot_be_read_is_a_problem_of_its_own(business: Rig) -> None:
    business.world.faults.append(Fault("resourceType.list", "answer", status=400, times=9))
    (found,) = findings(business, {"id": 1})
    assert found.state == "problem"


def test_what_nobody_gets_from_the_portal_is_told_once(business: Rig) -> None:
    business.world.faults.append(Fault("booking.v1", "drop-before", times=99))
    business.world.faults.append(Fault("batch", "drop-before", times=99))
    assert findings(business, {"id": 1}) == []
