"""What is sent, what comes of it, and how often."""

from __future__ import annotations

import httpx
import pytest

from slotbridge.errors import (
    AccessRefused,
    ApiError,
    BadAnswer,
    BudgetSpent,
    ConfigurationError,
    LimitReached,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    WriteRefused,
    impersonal,
)
from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.reservekit import Booking, Service
from tests.reservekit.kit import BASE, KEY, Answer, Server, guide, listed, ok, refusal, slot

NEW = TimeSlot(None, 0, "2024-01-01 09:00:00", "2024-01-01 10:00:00", 2)
OLD = TimeSlot(456, 1, "2023-01-01 09:00:00", "2023-01-01 17:00:00", 8)


async def test_every_request_carries_the_key_and_no_origin() -> None:
    server = Server([listed([]), ok([]), ok("ok")])
    client = server.client()
    await client.list_time_slots(123)
    await client.save_time_slots(123, [NEW])
    await client.delete_time_slot(456)
    for request in server.asked:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert request.headers["Accept"] == "application/json"
        assert request.headers["Content-Type"] == "application/json"
        assert "Origin" not in request.headers


async def test_the_domain_of_a_key_is_sent_with_every_request() -> None:
    server = Server([ok({"services": [], "pagination": None}), ok(None), ok({"id": 5})])
    client = server.client(origin="https://www.example.com")
    await client.list_services()
    await client.delete_time_slot(7)
    await client.update_service(5, name="A")
    assert [request.headers["Origin"] for request in server.asked] == ["https://www.example.com"] * 3
    assert client.requests == 3


@pytest.mark.parametrize("base_url", [BASE, BASE + "/"])
async def test_the_base_address_may_end_with_a_slash(base_url: str) -> None:
    server = Server([ok({"id": 5, "name": "Dental", "timezone": "Europe/Berlin"})])
    assert await server.client(base_url=base_url).get_service(5) == Service(5, "Dental", "Europe/Berlin")
    assert str(server.asked[0].url) == f"{BASE}/services/5"


async def test_services_are_listed_in_pages_of_a_hundred() -> None:
    rows = [{"id": number, "name": f"S{number}", "timezone": None} for number in range(1, 102)]
    server = Server(
        [
            ok({"services": rows[:100], "pagination": guide(1, 2, 101)}),
            ok({"services": rows[100:], "pagination": guide(2, 2, 101)}),
        ]
    )
    services = await server.client().list_services()
    assert [service.id for service in services] == list(range(1, 102))
    assert services[0] == Service(1, "S1", None)
    assert [str(request.url) for request in server.asked] == [
        f"{BASE}/services?page=1&page_size=100",
        f"{BASE}/services?page=2&page_size=100",
    ]


@pytest.mark.parametrize("data", [{"id": 6, "name": "Other"}, {"name": "Dental"}, [], "ok"])
async def test_an_answer_about_another_service_is_not_taken(data: object) -> None:
    with pytest.raises(BadAnswer, match="service 5"):
        await Server([ok(data)]).client().get_service(5)


async def test_an_unknown_service_is_named() -> None:
    server = Server([refusal(404, "service_not_found", "Service not found")])
    with pytest.raises(NotFound, match=r"service 5: .*slotbridge discover"):
        await server.client().get_service(5)


async def test_time_slots_are_read_in_order_with_the_odd_ones() -> None:
    server = Server([ok({"time_slots": [slot(2), slot(1, day_of_week=None)], "pagination": guide(1, 1, 2)})])
    first, second = await server.client().list_time_slots(123)
    assert first == TimeSlot(2, 1, "2023-01-01 09:00:00", "2023-01-01 17:00:00", 8)
    assert isinstance(second, Odd)
    assert second.id == 1
    assert str(server.asked[0].url) == f"{BASE}/time-slots?service_id=123&page=1&page_size=100"


async def test_bookings_are_listed_for_one_service() -> None:
    row = {"id": 9, "service_id": 123, "time_slot_id": 456, "date": "2025-03-10", "status": "confirmed"}
    server = Server([ok({"bookings": [row], "pagination": guide(1, 1, 1)})])
    assert await server.client().list_bookings(123) == (Booking(9, 456, "2025-03-10", "confirmed"),)
    assert str(server.asked[0].url) == f"{BASE}/bookings?service_id=123&page=1&page_size=100"


@pytest.mark.parametrize(
    ("date", "problem"), [("tomorrow", "date does not start with YYYY-MM-DD"), (None, "date is not text")]
)
async def test_G3_one_unreadable_booking_fails_the_listing_and_is_named(date: object, problem: str) -> None:
    server = Server([ok([{"id": 9, "time_slot_id": 456, "date": date}])])
    with pytest.raises(BadAnswer, match=f"9 in it cannot be read: {problem}") as caught:
        await server.client().list_bookings(123)
    assert impersonal(caught.value).what == f"9 in it cannot be read: {problem}"


async def test_what_a_success_says_of_an_error_stays_out_of_impersonal_words() -> None:
    server = Server([httpx.Response(200, json={"error": "Ada is ill", "data": None})])
    with pytest.raises(BadAnswer, match="Ada") as caught:
        await server.client().list_bookings(123)
    assert impersonal(caught.value).what == "answered 200"


async def test_G3_a_booking_of_another_service_fails_the_listing() -> None:
    server = Server([ok([{"id": 9, "service_id": 7, "time_slot_id": 456, "date": "2025-03-10"}])])
    with pytest.raises(BadAnswer, match="another service"):
        await server.client().list_bookings(123)


# Writing


async def test_one_patch_carries_creations_and_updates_with_exactly_the_documented_fields() -> None:
    server = Server([ok([])])
    await server.client().save_time_slots(123, [OLD, NEW])
    assert (server.asked[0].method, str(server.asked[0].url)) == ("PATCH", f"{BASE}/time-slots")
    assert server.sent == {
        "service_id": 123,
        "time_slots": [
            {
                "id": 456,
                "day_of_week": 1,
                "start_time": "2023-01-01 09:00:00",
                "end_time": "2023-01-01 17:00:00",
                "max_bookings": 8,
            },
            {
                "day_of_week": 0,
                "start_time": "2024-01-01 09:00:00",
                "end_time": "2024-01-01 10:00:00",
                "max_bookings": 2,
            },
        ],
    }


async def test_S8_an_odd_slot_goes_back_as_it_came() -> None:
    server = Server([ok([slot(7, start_time=None)]), ok([])])
    client = server.client()
    await client.save_time_slots(123, await client.list_time_slots(123))
    assert server.sent["time_slots"] == [
        {"id": 7, "day_of_week": 1, "start_time": None, "end_time": "2023-01-01 17:00:00", "max_bookings": 8}
    ]


async def test_nothing_to_save_sends_nothing() -> None:
    server = Server([])
    await server.client().save_time_slots(123, [])
    assert server.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(204),
        httpx.Response(201, json={"data": None}),
        httpx.Response(200, json={"data": "ok"}),
    ],
)
async def test_any_success_of_the_api_is_a_success_whatever_it_says(answer: httpx.Response) -> None:
    client = Server([answer, answer]).client()
    await client.save_time_slots(123, [OLD])
    await client.delete_time_slot(456)


LOST = [
    httpx.ReadTimeout("late"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("half an answer"),
    httpx.Response(500, json={"error": "boom"}),
    httpx.Response(502, html="<html>"),
    httpx.Response(504),
]


PAGE_OF_A_PROXY = httpx.Response(200, text="<html>")


@pytest.mark.parametrize("answer", [*LOST, PAGE_OF_A_PROXY])
async def test_W5_a_write_whose_outcome_is_unknown_is_sent_once(answer: Answer) -> None:
    server = Server([answer, answer])
    with pytest.raises(OutcomeUnknown):
        await server.client().save_time_slots(123, [NEW])
    assert len(server.asked) == 1
    with pytest.raises(OutcomeUnknown):
        await server.client().delete_time_slot(456)
    assert len(server.asked) == 2


@pytest.mark.parametrize("said", ["", '"ok"', "[]", '[{"id": 456}]', '{"data": "ok"}'])
@pytest.mark.parametrize("status", [200, 202, 204])
async def test_of_a_successful_change_or_deletion_the_body_does_not_matter(status: int, said: str) -> None:
    answer = httpx.Response(status, text=said)
    client = Server([answer, answer]).client()
    await client.save_time_slots(123, [NEW])
    await client.delete_time_slot(456)


@pytest.mark.parametrize("status", [200, 202])
async def test_a_word_in_plain_text_acknowledges_a_deletion_alone(status: int) -> None:
    answer = httpx.Response(status, text="ok")
    client = Server([answer, answer]).client()
    await client.delete_time_slot(456)
    with pytest.raises(OutcomeUnknown):
        await client.save_time_slots(123, [NEW])


@pytest.mark.parametrize("said", ['{"data": "o', "[1,", "<html>"])
async def test_W5_half_a_body_tells_nothing_of_a_write(said: str) -> None:
    answer = httpx.Response(200, text=said)
    client = Server([answer, answer]).client()
    with pytest.raises(OutcomeUnknown):
        await client.delete_time_slot(456)
    with pytest.raises(OutcomeUnknown):
        await client.save_time_slots(123, [NEW])


NO_SUCCESS = {
    "invalid_api_key": WriteRefused,
    "not_found": WriteRefused,
    "validation_failed": Rejected,
    "service_not_found": NotFound,
    "api_limit_exceeded": BudgetSpent,
    "service not found": NotFound,
    "forbidden": OutcomeUnknown,
}


@pytest.mark.parametrize(("said", "kind"), NO_SUCCESS.items())
async def test_a_write_that_is_answered_200_with_an_error_is_no_success(said: str, kind: type[ApiError]) -> None:
    for error in (said, {"code": said, "message": said}):
        server = Server([httpx.Response(200, json={"error": error, "data": None})])
        with pytest.raises(kind, match=f"answered 200 with the error.*{said}") as caught:
            await server.client().save_time_slots(123, [OLD])
        assert type(caught.value) is kind


SAID_WITH_200 = [
    {"error": {"code": "day_closed", "message": "not on Sundays"}},
    {"error": {"code": "day_closed", "message": "not on Sundays"}, "data": []},
    {"error": "not on Sundays", "data": None},
    {"error": True, "message": "not on Sundays"},
    {"status": 409, "message": "not on Sundays", "code": "day_closed"},
    {"status": "error", "error": "not on Sundays"},
    {"status": "error", "message": "not on Sundays"},
    {"success": False, "message": "not on Sundays"},
]


@pytest.mark.parametrize("said", SAID_WITH_200)
async def test_W5_an_error_of_unknown_name_with_a_200_is_none_for_certain(said: dict[str, object]) -> None:
    client = Server([httpx.Response(200, json=said)] * 2).client()
    for write in (client.save_time_slots(123, [NEW]), client.delete_time_slot(456)):
        with pytest.raises(OutcomeUnknown, match=r"answered 200 with the error.*not on Sundays") as caught:
            await write
        refusal = caught.value.refusal
        assert refusal is not None
        assert (refusal.what, refusal.item) == (caught.value.what, caught.value.item)
        assert "slotbridge show" in str(refusal.hint)


@pytest.mark.parametrize("said", ["<html>", "[1,"])
async def test_W5_what_a_proxy_says_is_never_a_refusal(said: str) -> None:
    for status in (200, 502):
        with pytest.raises(OutcomeUnknown) as caught:
            await Server([httpx.Response(status, text=said)]).client().save_time_slots(123, [NEW])
        assert caught.value.refusal is None


SUCCESSES = [{"status": "success", "error": None}, {"status": 200, "data": "ok"}, {"status": True}]


@pytest.mark.parametrize("said", SUCCESSES)
async def test_a_status_of_success_is_no_error(said: dict[str, object]) -> None:
    assert await Server([httpx.Response(200, json=said)]).client().save_time_slots(123, [NEW])


async def test_a_known_code_beside_a_status_of_its_own_tells_what_a_200_means() -> None:
    said = {"status": 404, "message": "time slot not found", "code": "time_slot_not_found"}
    assert await Server([httpx.Response(200, json=said)]).client().delete_time_slot(456)


REFUSED = [
    refusal(401, "invalid_api_key"),
    refusal(403, "forbidden"),
    httpx.Response(404, text="404 page not found"),
    refusal(404, "resource_not_found"),
    httpx.Response(405),
]


@pytest.mark.parametrize("answer", REFUSED)
async def test_W6_a_key_that_may_not_write_is_recognised(answer: httpx.Response) -> None:
    client = Server([answer, answer]).client()
    with pytest.raises(WriteRefused, match="time slots of service 123"):
        await client.save_time_slots(123, [OLD])
    with pytest.raises(WriteRefused, match="time slot 456"):
        await client.delete_time_slot(456)


@pytest.mark.parametrize("code", ["time_slot_not_found", "service_not_found"])
async def test_saving_to_a_row_that_is_gone_is_not_a_refusal(code: str) -> None:
    with pytest.raises(NotFound) as caught:
        await Server([refusal(404, code)]).client().save_time_slots(123, [OLD])
    assert caught.value.code == code


async def test_rejected_values_are_shown_and_not_sent_again() -> None:
    server = Server([refusal(400, "validation_failed", "Wrong", details={"max_bookings": "min 1"})])
    with pytest.raises(Rejected, match="max_bookings: min 1"):
        await server.client().save_time_slots(123, [OLD])


async def test_deleting_names_the_slot_in_the_path() -> None:
    server = Server([ok("ok")])
    await server.client().delete_time_slot(456)
    assert (server.asked[0].method, str(server.asked[0].url)) == ("DELETE", f"{BASE}/time-slots/456")
    assert server.asked[0].content == b""


@pytest.mark.parametrize(
    "answer",
    [refusal(404, "time_slot_not_found"), httpx.Response(404, json={"error": "time slot not found"})],
)
async def test_deleting_what_is_already_gone_is_a_success(answer: httpx.Response) -> None:
    await Server([answer]).client().delete_time_slot(456)


async def test_deleting_in_an_unknown_service_is_a_refusal() -> None:
    with pytest.raises(WriteRefused, match="service_not_found"):
        await Server([refusal(404, "service_not_found")]).client().delete_time_slot(456)


# Reading again


@pytest.mark.parametrize("answer", LOST)
async def test_a_read_is_repeated_after_a_pause(answer: Answer) -> None:
    server = Server([answer, answer, listed([1])])
    client = server.client()
    assert len(await client.list_time_slots(123)) == 1
    assert client.requests == 3
    assert len(server.clock.slept) == 2


async def test_a_read_is_given_up_after_four_attempts() -> None:
    server = Server([httpx.Response(503)] * 4)
    with pytest.raises(OutcomeUnknown, match="answered 503"):
        await server.client().list_time_slots(123)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, json={"data": None}), "JSON that has no data"),
        (httpx.Response(200, json=[]), "JSON that has no data"),
        (
            httpx.Response(200, json={"error": "broken", "data": []}),
            "answered 200, but with an error: broken",
        ),
    ],
)
async def test_G4_a_success_without_usable_data_is_a_failed_read(answer: httpx.Response, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        await Server([answer]).client().list_time_slots(123)


GARBLED = [
    (httpx.Response(200, html="<!DOCTYPE html>"), "answered 200 with an HTML page"),
    (httpx.Response(200), "answered 200 with an empty body"),
    (httpx.Response(200, text='{"data": {"time_slots": ['), "text that is not JSON, or cut off"),
    (httpx.Response(200, text='{"data": NaN}'), "text that is not JSON"),
    (httpx.Response(200, text="[" * 100_000), "text that is not JSON"),
]


@pytest.mark.parametrize(("answer", "said"), GARBLED)
async def test_G4_a_success_that_is_no_json_is_asked_for_once_more(answer: httpx.Response, said: str) -> None:
    server = Server([answer, listed([1])])
    assert len(await server.client().list_time_slots(123)) == 1
    assert server.clock.slept == [1]
    with pytest.raises(BadAnswer, match=said):
        await Server([answer, answer]).client().list_time_slots(123)


@pytest.mark.parametrize("answer", [refusal(401, "invalid_api_key"), refusal(403, "forbidden")])
async def test_a_refused_key_is_not_tried_again(answer: httpx.Response) -> None:
    with pytest.raises(AccessRefused) as caught:
        await Server([answer]).client().list_time_slots(123)
    assert not isinstance(caught.value, WriteRefused)


async def test_a_write_that_never_left_is_sent_again() -> None:
    server = Server([httpx.ConnectError("no route"), ok([])])
    await server.client().save_time_slots(123, [NEW])
    assert len(server.asked) == 2


async def test_a_server_that_cannot_be_reached_is_given_up() -> None:
    with pytest.raises(NotSent):
        await Server([httpx.ConnectError("no route")] * 4).client().list_services()


# Limits


@pytest.mark.parametrize("asked", ["0", "-5", "Mon, 03 Mar 2025 08:00:00 GMT"])
async def test_whoever_may_come_back_at_once_and_does_so_in_vain_is_patient(asked: str) -> None:
    limited = httpx.Response(
        429, headers={"Retry-After": asked}, json={"error": {"code": "rate_limit_exceeded", "message": "no"}}
    )
    server = Server([limited] * 4)
    with pytest.raises(LimitReached):
        await server.client().list_services()
    assert sum(server.clock.slept) >= 2 + 4


@pytest.mark.parametrize("asked", [1_741_000_000, 1_741_000_000_000, "Tue, 03 Mar 2125 08:00:00 GMT"])
async def test_nobody_is_left_alone_for_longer_than_six_hours(asked: object) -> None:
    server = Server([refusal(429, "rate_limit_exceeded", retry_after=asked), listed([1])])
    client = server.client()
    with pytest.raises(LimitReached):
        await client.list_time_slots(123)
    await server.clock.sleep(6 * 3600)
    assert len(await client.list_time_slots(123)) == 1


async def test_a_write_refused_for_its_rate_is_sent_again_after_the_wait_asked_for() -> None:
    server = Server([refusal(429, "rate_limit_exceeded", retry_after=30), ok([])])
    await server.client().save_time_slots(123, [NEW])
    assert server.clock.monotonic() == pytest.approx(30, abs=0.1)


async def test_who_is_asked_to_wait_less_than_no_time_waits_as_without_a_number() -> None:
    limited = httpx.Response(429, headers={"Retry-After": "-5"}, json={"error": "too many requests"})
    server = Server([limited, listed([])])
    await server.client().list_time_slots(123)
    assert server.clock.monotonic() == pytest.approx(1, abs=0.1)


async def test_the_header_comes_before_the_body() -> None:
    limited = httpx.Response(429, headers={"Retry-After": "4"}, json={"error": "slow down", "retry_after": 30})
    server = Server([limited, listed([])])
    await server.client().list_time_slots(123)
    assert server.clock.monotonic() == pytest.approx(4, abs=0.1)


async def test_a_refusal_for_the_rate_holds_back_the_others_too() -> None:
    server = Server([*[refusal(429, "rate_limit_exceeded", retry_after=20)] * 4, listed([])])
    client = server.client()
    with pytest.raises(LimitReached):
        await client.list_time_slots(123)
    assert server.clock.monotonic() == pytest.approx(60, abs=0.1)
    await client.list_time_slots(124)
    assert server.clock.monotonic() == pytest.approx(80, abs=0.1)


async def test_a_wait_that_is_too_long_is_not_waited_for() -> None:
    server = Server([httpx.Response(429, headers={"Retry-After": "7200"})])
    with pytest.raises(LimitReached) as caught:
        await server.client().list_time_slots(123)
    assert caught.value.retry_after == 7200
    assert server.clock.slept == []


async def test_a_spent_month_is_not_asked_again() -> None:
    server = Server([refusal(429, "api_limit_exceeded", retry_after=1)])
    with pytest.raises(BudgetSpent):
        await server.client().save_time_slots(123, [NEW])
    assert len(server.asked) == 1


# The key


@pytest.mark.parametrize("key", ["", "  ", "sk_rsv_a b", "sk_rsv_ключ", "a\r\nX-Evil: 1"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Server([]).client(key=key)
    assert "rsv" not in str(caught.value)


async def test_a_line_break_after_the_key_is_ignored() -> None:
    server = Server([listed([])])
    await server.client(key=KEY + "\n").list_time_slots(123)
    assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", [KEY, "house-key-2718281828"])
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 429, 500])
async def test_no_message_shows_the_key_even_if_the_server_echoes_it(key: str, status: int) -> None:
    body = {"error": {"code": key, "message": f"Bearer {key} and {key}", "details": {"key": key}}}
    answer = httpx.Response(status, json=body, headers={"Location": f"https://new.example/{key}"})
    server = Server([answer] * 4)
    client = server.client(key=key)
    with pytest.raises(ApiError) as caught:
        await client.list_time_slots(123)
    shown = f"{caught.value} {caught.value!r} {caught.value.as_json()} {caught.value.code} {client!r}"
    assert key not in shown
