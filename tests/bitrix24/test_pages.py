"""Complete listings by as few requests as can be."""

from __future__ import annotations

from typing import Any

import pytest

from slotbridge.bitrix24 import Resource
from slotbridge.errors import AccessRefused, BadAnswer, LimitReached, OutcomeUnknown
from tests.bitrix24.answers import batch
from tests.bitrix24.portal import Portal, failed, ok


def page(*ids: int) -> dict[str, object]:
    return {"resource": [{"id": each, "name": f"R{each}"} for each in ids]}


def full(first: int) -> dict[str, object]:
    return page(*range(first, first + 50))


@pytest.mark.parametrize(
    ("number", "requests"),
    [(0, 1), (1, 1), (49, 1), (50, 1), (51, 1), (499, 1), (500, 2), (501, 2), (1000, 2), (2999, 2), (3000, 3)],
)
async def test_the_first_request_has_ten_pages_and_every_further_one_fifty(
    portal: Portal, number: int, requests: int
) -> None:
    portal.names = {each: f"R{each}" for each in range(1, number + 1)}
    assert await portal.client.list_resources() == [Resource(each, f"R{each}") for each in range(1, number + 1)]
    assert [len(portal.commands(index)) for index in range(len(portal.sent))] == [10, 50, 50][:requests]


async def test_every_page_is_asked_for_in_ascending_order(portal: Portal) -> None:
    portal.names = dict.fromkeys(range(1, 501), "R")
    await portal.client.list_resources()
    sent = [*portal.commands(0), *portal.commands(1)]
    assert sent == [
        ("booking.v1.resource.list", {"order": {"id": "asc"}, "start": str(start)}) for start in range(0, 3000, 50)
    ]


async def test_rows_that_move_between_pages_are_there_once(portal: Portal) -> None:
    shifted = page(50, *range(51, 100))
    portal.script = [batch(full(1), shifted, page(99, 100, 101), *[page()] * 7)]
    found = await portal.client.list_resources()
    assert [resource.id for resource in found] == list(range(1, 102))


async def test_a_page_of_known_rows_does_not_end_the_walk(portal: Portal) -> None:
    pages = [full(1), full(1), *(full(1 + 50 * page) for page in range(1, 9))]
    portal.script = [batch(*pages), batch(page(451), *[page()] * 49)]
    found = await portal.client.list_resources()
    assert [resource.id for resource in found] == list(range(1, 452))


async def test_a_portal_that_repeats_a_page_does_not_keep_us_for_ever(portal: Portal) -> None:
    portal.script = [batch(*[full(1)] * 10)]
    assert len(await portal.client.list_resources()) == 50
    assert len(portal.sent) == 1


async def test_a_page_may_come_as_an_object_and_out_of_order(portal: Portal) -> None:
    rows = {"1": {"id": 2, "name": "B"}, "5": {"id": 1, "name": "A"}}
    portal.script = [batch({"resource": rows}, *[page()] * 9)]
    assert await portal.client.list_resources() == [Resource(1, "A"), Resource(2, "B")]


@pytest.mark.parametrize("broken", [{}, [], None, True, {"resource": None}, {"resource": [{"name": "no id"}]}])
async def test_a_page_that_cannot_be_read_fails_the_listing(portal: Portal, broken: Any) -> None:
    portal.script = [batch(full(1), broken, *[page()] * 8)]
    with pytest.raises(BadAnswer) as caught:
        await portal.client.list_resources()
    assert caught.value.item == "the list of resources"


async def test_a_page_that_failed_fails_the_listing(portal: Portal) -> None:
    portal.script = [batch(*[full(1)] * 10, errors={1: "insufficient_scope"})]
    with pytest.raises(AccessRefused):
        await portal.client.list_resources()


async def test_a_page_that_is_missing_fails_the_listing(portal: Portal) -> None:
    portal.script = [batch(full(1))] * 4
    with pytest.raises(BadAnswer):
        await portal.client.list_resources()


async def test_what_is_behind_the_last_page_does_not_matter(portal: Portal) -> None:
    portal.script = [batch(page(7), *[page()] * 9, errors={9: "22002"})]
    assert await portal.client.list_resources() == [Resource(7, "R7")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failed("ACCESS_DENIED", 401), AccessRefused),
        (failed("QUERY_LIMIT_EXCEEDED", 503), LimitReached),
        (failed("INTERNAL_SERVER_ERROR", 500), OutcomeUnknown),
        (ok([]), BadAnswer),
    ],
)
async def test_what_fails_the_whole_batch_fails_the_listing(
    portal: Portal, answer: Any, error: type[Exception]
) -> None:
    portal.script = [answer] * 9
    with pytest.raises(error):
        await portal.client.list_resources()
