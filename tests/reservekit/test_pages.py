"""Listing completely: every documented form of page numbers, and every way of not adding up."""

from __future__ import annotations

import httpx
import pytest

from slotbridge.errors import BadAnswer
from slotbridge.reservekit.pages import MAX_PAGES, read_page
from tests.reservekit.kit import Server, guide, listed, ok, slot

FULL = range(1, 101)


async def ids(server: Server) -> list[int | None]:
    return [item.id for item in await server.client().list_time_slots(123)]


def in_guide_form(page: int, pages: int, total: int, size: int) -> object:
    return guide(page, pages, total, size)


def in_schema_form(page: int, pages: int, total: int, size: int) -> object:
    return {"page": page, "page_size": size, "total_items": total, "total_pages": pages}


def in_digits(page: int, pages: int, total: int, size: int) -> object:
    return {"page": str(page), "page_size": str(size), "total_items": str(total), "total_pages": str(pages)}


def with_pages_only(page: int, pages: int, total: int, size: int) -> object:
    return {"total_pages": pages}


def with_total_only(page: int, pages: int, total: int, size: int) -> object:
    return {"total_count": total}


def with_size_only(page: int, pages: int, total: int, size: int) -> object:
    return {"current_page": page, "page_size": size, "total_pages": None, "total_count": None}


FORMS = [in_guide_form, in_schema_form, in_digits, with_pages_only, with_total_only, with_size_only]


@pytest.mark.parametrize("form", FORMS)
async def test_three_pages_in_each_form_and_the_order_is_kept(form: type) -> None:
    pages = [[9, 8], [3, 4], [1]]
    server = Server(listed(page, form(number, 3, 5, 2)) for number, page in enumerate(pages, 1))
    assert await ids(server) == [9, 8, 3, 4, 1]
    assert [request.url.params["page"] for request in server.asked] == ["1", "2", "3"]


@pytest.mark.parametrize("form", FORMS)
async def test_one_short_page_costs_one_request_in_each_form(form: type) -> None:
    server = Server([listed([1, 2], form(1, 1, 2, 10))])
    assert await ids(server) == [1, 2]


async def test_G4_a_page_before_the_last_that_is_shorter_than_its_size_does_not_add_up() -> None:
    server = Server(lambda request: listed([1, 2], {"total_pages": 2, "page_size": 100}))
    with pytest.raises(BadAnswer, match="unstable listing"):
        await ids(server)
    assert len(server.asked) == 3


async def test_a_total_proves_the_rows_whatever_the_size_that_is_told() -> None:
    numbers = {"total_pages": 2, "page_size": 100, "total_count": 3}
    assert await ids(Server([listed([1, 2], numbers), listed([3], numbers)])) == [1, 2, 3]


async def test_camel_case_metadata_beside_a_bare_list() -> None:
    def metadata(page: int) -> dict[str, int]:
        return {"currentPage": page, "firstPage": 1, "lastPage": 2, "pageSize": 2, "totalRecords": 3}

    server = Server([ok([slot(1), slot(2)], metadata=metadata(1)), ok([slot(3)], metadata=metadata(2))])
    assert await ids(server) == [1, 2, 3]


@pytest.mark.parametrize(
    "answer",
    [
        ok({"time_slots": [slot(1)], "pagination": None}),
        ok({"time_slots": [slot(1)]}),
        ok([slot(1)]),
        ok([slot(1)], status="success", error=None),
        ok([slot(1)], error=""),
    ],
)
async def test_without_page_numbers_a_short_list_is_complete(answer: object) -> None:
    assert await ids(Server([answer])) == [1]  # type: ignore[list-item]


@pytest.mark.parametrize(
    "answer",
    [
        ok({"time_slots": [], "pagination": guide(1, 0, 0)}),
        ok({"time_slots": [], "pagination": {}}),
        ok({"time_slots": None, "pagination": guide(1, 0, 0)}),
        ok([], metadata={}),
        ok([]),
    ],
)
async def test_an_empty_listing_is_empty(answer: object) -> None:
    assert await ids(Server([answer])) == []  # type: ignore[list-item]


async def test_the_parameters_are_always_sent() -> None:
    server = Server([listed([1])])
    await ids(server)
    assert dict(server.asked[0].url.params) == {"service_id": "123", "page": "1", "page_size": "100"}


async def test_a_full_page_with_a_total_that_says_complete_costs_no_second_request() -> None:
    server = Server([listed(FULL, guide(1, 1, 100))])
    assert len(await ids(server)) == 100


async def test_a_full_page_without_totals_asks_for_the_next() -> None:
    server = Server([listed(FULL), listed([])])
    assert len(await ids(server)) == 100
    assert len(server.asked) == 2


async def test_a_server_without_pages_repeats_all_that_there_is() -> None:
    server = Server([listed(FULL), listed(reversed(FULL))])
    assert await ids(server) == list(FULL)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "behind",
    [listed([]), listed([1, 2]), ok({"time_slots": None, "pagination": None}), ok([])],
)
async def test_a_thorough_reading_looks_behind_a_list_without_page_numbers(behind: httpx.Response) -> None:
    server = Server([listed([1, 2]), behind])
    slots = await server.client().list_time_slots(123, thorough=True)
    assert [item.id for item in slots] == [1, 2]
    assert [request.url.params["page"] for request in server.asked] == ["1", "2"]


async def test_G4_a_thorough_reading_finds_what_unnumbered_pages_left_out() -> None:
    server = Server([listed([1, 2]), listed([3, 4]), listed([5]), listed([])])
    assert len(await server.client().list_time_slots(123, thorough=True)) == 5


async def test_a_thorough_reading_of_numbered_pages_costs_nothing_more() -> None:
    server = Server([listed([1, 2], guide(1, 1, 2))])
    assert len(await server.client().list_time_slots(123, thorough=True)) == 2


async def test_a_list_longer_than_a_page_was_not_paged() -> None:
    assert len(await ids(Server([listed(range(1, 151))]))) == 150


async def test_the_echoed_size_and_not_the_asked_one_tells_a_short_page() -> None:
    server = Server([listed([1, 2], {"page_size": 2}), listed([3], {"page_size": 2})])
    assert await ids(server) == [1, 2, 3]


async def test_page_numbers_that_say_nothing_are_followed_to_an_empty_page() -> None:
    server = Server([listed([1, 2], {"current_page": 1}), listed([], {"current_page": 2})])
    assert await ids(server) == [1, 2]


async def test_a_row_on_two_pages_is_one_row_if_the_total_says_so() -> None:
    server = Server([listed([1, 2], guide(1, 2, 3, 2)), listed([2, 3], guide(2, 2, 3, 2))])
    assert await ids(server) == [1, 2, 3]


async def test_a_total_that_changes_restarts_the_listing() -> None:
    server = Server(
        [
            listed([1, 2], guide(1, 2, 3, 2)),
            listed([3], guide(2, 2, 4, 2)),
            listed([1, 2], guide(1, 2, 4, 2)),
            listed([3, 4], guide(2, 2, 4, 2)),
        ]
    )
    assert await ids(server) == [1, 2, 3, 4]


UNSTABLE = {
    "fewer rows than the total": [listed([1], guide(1, 1, 2))],
    "more rows than the total": [listed([1, 2], guide(1, 1, 1))],
    "a row moved over to the next page": [
        listed([1, 2], guide(1, 2, 4, 2)),
        listed([2, 3], guide(2, 2, 4, 2)),
    ],
    "the same page again": [listed([1, 2], guide(1, 3, 6, 2)), listed([1, 2], guide(2, 3, 6, 2))],
    "the same page again, without totals": [listed([1], {"page_size": 1}), listed([1], {"page_size": 1})],
    "the same page again, without page numbers": [listed([1], {"page_size": 1}), listed([1])],
    "half of the page again, without page numbers": [listed(FULL), listed(range(51, 141))],
    "one id twice, without a total": [listed([1, 1])],
    "an empty page before the last": [listed([1], {"total_pages": 3}), listed([], {"total_pages": 3})],
    "a list of rows with a total of zero": [listed([1], guide(1, 0, 0))],
    "totals that come and go": [listed(FULL, guide(1, 2, 101)), listed([101])],
}


@pytest.mark.parametrize("name", UNSTABLE)
async def test_G4_a_listing_that_never_adds_up_is_a_failed_read(name: str) -> None:
    server = Server([*UNSTABLE[name]] * 3)
    with pytest.raises(BadAnswer, match=r"time slots of service 123: unstable listing") as caught:
        await ids(server)
    assert caught.value.side == "reservekit"
    assert len(server.asked) == 3 * len(UNSTABLE[name])


ODD_SHAPES = {
    "null list without a total": {"time_slots": None, "pagination": None},
    "another name": {"slots": [], "pagination": None},
    "a list that is an object": {"time_slots": {"1": slot(1)}},
    "a text": "ok",
    "a number": 7,
    "page numbers that are a list": {"time_slots": [], "pagination": [1]},
    "a total that is a word": {"time_slots": [], "pagination": {"total_count": "many"}},
    "a total below zero": {"time_slots": [], "pagination": {"total_count": -1}},
    "a total that is true": {"time_slots": [], "pagination": {"total_count": True}},
    "an element that is no object": {"time_slots": [slot(1), None]},
    "an element without id": {"time_slots": [{"day_of_week": 1}]},
    "an element with id 0": {"time_slots": [slot(0)]},
    "an element of another service": {"time_slots": [slot(1), slot(2, service_id=124)]},
    "an element of an unreadable service": {"time_slots": [slot(1, service_id="dental")]},
}


@pytest.mark.parametrize("name", ODD_SHAPES)
async def test_G4_an_oddly_shaped_listing_is_a_failed_read_after_one_request(name: str) -> None:
    server = Server([ok(ODD_SHAPES[name])])
    with pytest.raises(BadAnswer):
        await ids(server)


@pytest.mark.parametrize("service", ["123", 123.0, None, "", 0])
async def test_a_row_may_name_its_service_in_any_form_or_not_at_all(service: object) -> None:
    assert await ids(Server([ok([slot(1, service_id=service)])])) == [1]


async def test_an_endless_listing_is_given_up() -> None:
    numbers = iter(range(1, 10**6))
    server = Server(lambda _: listed([next(numbers)], {"page_size": 1}))
    with pytest.raises(BadAnswer, match="more than 500 pages"):
        await ids(server)
    assert len(server.asked) == MAX_PAGES


async def test_a_listing_that_announces_too_many_pages_is_given_up_at_once() -> None:
    with pytest.raises(BadAnswer, match="more than 500 pages"):
        await ids(Server([listed([1], {"total_pages": 501})]))


def test_page_numbers_beside_the_data_count_as_well() -> None:
    page = read_page({"data": {"services": [{"id": 1}]}, "pagination": guide(1, 2, 3)}, "services", item="services")
    assert (page.pages, page.total, page.size) == (2, 3, 100)
