"""The application: codes, tokens, and calls that carry one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.wire import Answer
from slotbridge.sandbox.world import AUTHORIZE_PATH, CLIENT_ID, CLIENT_SECRET, TOKEN_PATH, World

from .conftest import Application, FakeClock

LIST = "booking.v1.resource.slots.list"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


async def authorize(http: httpx.AsyncClient, **more: str) -> httpx.Response:
    return await http.get(AUTHORIZE_PATH, params={"client_id": CLIENT_ID, **more})


async def code(http: httpx.AsyncClient) -> str:
    page = await authorize(http)
    return page.text.removeprefix("code: ").strip()


async def exchange(http: httpx.AsyncClient, given: str, **changes: str) -> httpx.Response:
    params = {"grant_type": "authorization_code", **CLIENT, "code": given}
    return await http.get(TOKEN_PATH, params=params | changes)


async def refresh(http: httpx.AsyncClient, given: str, **changes: str) -> httpx.Response:
    params = {"grant_type": "refresh_token", **CLIENT, "refresh_token": given}
    return await http.get(TOKEN_PATH, params=params | changes)


async def tokens(http: httpx.AsyncClient) -> Any:
    return (await exchange(http, await code(http))).json()


async def outcome(http: httpx.AsyncClient, token: str) -> tuple[int, str | None]:
    answer = await http.post(f"/rest/{LIST}", json={"resourceId": 15, "auth": token})
    return answer.status_code, answer.json().get("error")


async def test_the_browser_is_sent_back_with_a_code(http: httpx.AsyncClient) -> None:
    answer = await authorize(http, state="x y", redirect_uri="http://127.0.0.1:9/back?a=1")
    target = urlsplit(answer.headers["location"])
    query = parse_qs(target.query)
    assert (answer.status_code, target.netloc, target.path) == (302, "127.0.0.1:9", "/back")
    assert (query["a"], query["state"], query["domain"], query["scope"]) == (
        ["1"],
        ["x y"],
        ["sandbox"],
        ["booking,crm"],
    )
    assert (await exchange(http, query["code"][0])).json()["member_id"] == query["member_id"][0]


async def test_without_an_address_to_return_to_the_code_is_shown(http: httpx.AsyncClient) -> None:
    page = await authorize(http)
    assert (page.status_code, page.text.partition(" ")[0]) == (200, "code:")


async def test_an_application_that_is_not_installed(http: httpx.AsyncClient) -> None:
    assert (await authorize(http, client_id="local.other")).status_code == 400


async def test_a_code_becomes_a_pair_that_opens_the_portal(http: httpx.AsyncClient) -> None:
    pair = await tokens(http)
    assert (pair["expires_in"], pair["client_endpoint"], pair["domain"]) == (3600, "https://sandbox/rest/", "sandbox")
    assert {"refresh_token", "server_endpoint", "member_id", "scope", "status", "user_id", "expires"} <= pair.keys()
    assert await outcome(http, pair["access_token"]) == (200, None)


async def test_a_code_is_good_once_and_for_thirty_seconds(http: httpx.AsyncClient, clock: FakeClock) -> None:
    first = await code(http)
    clock.elapsed += 29
    assert (await exchange(http, first)).status_code == 200
    assert (await exchange(http, first)).json()["error"] == "invalid_grant"
    second = await code(http)
    clock.elapsed += 30
    assert (await exchange(http, second)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("way", ["body", "query", "access_token", "header", "form"])
async def test_five_ways_to_carry_a_token(http: httpx.AsyncClient, application: Application, way: str) -> None:
    token, params = application.token, {"resourceId": 15}
    requests: dict[str, dict[str, Any]] = {
        "body": {"json": params | {"auth": token}},
        "query": {"json": params, "params": {"auth": token}},
        "access_token": {"json": params | {"access_token": token}},
        "header": {"json": params, "headers": {"Authorization": f"Bearer {token}"}},
        "form": {"data": params | {"auth": token}},
    }
    answer = await http.post(f"/rest/{LIST}", **requests[way])
    assert (answer.status_code, len(answer.json()["result"]["slots"])) == (200, 1)


async def test_an_access_token_expires_by_the_worlds_clock(http: httpx.AsyncClient, clock: FakeClock) -> None:
    pair = await tokens(http)
    clock.elapsed += 3599
    assert await outcome(http, pair["access_token"]) == (200, None)
    clock.elapsed += 1
    assert await outcome(http, pair["access_token"]) == (401, "expired_token")


async def test_how_long_a_token_is_good_is_a_switch(world: World, http: httpx.AsyncClient, clock: FakeClock) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, token_seconds=5)
    pair = await tokens(http)
    clock.elapsed += 5
    assert (pair["expires_in"], await outcome(http, pair["access_token"])) == (5, (401, "expired_token"))


async def test_a_refresh_token_is_good_once_and_replaces_the_pair(http: httpx.AsyncClient) -> None:
    old = await tokens(http)
    new = (await refresh(http, old["refresh_token"])).json()
    assert await outcome(http, new["access_token"]) == (200, None)
    assert await outcome(http, old["access_token"]) == (401, "invalid_token")
    again = await refresh(http, old["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_the_old_pair_may_live_on(world: World, http: httpx.AsyncClient) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, old_tokens="alive")
    old = await tokens(http)
    for _ in range(2):
        assert (await refresh(http, old["refresh_token"])).status_code == 200
    assert await outcome(http, old["access_token"]) == (200, None)


async def test_a_refresh_token_dies_after_180_days(http: httpx.AsyncClient, clock: FakeClock) -> None:
    pair = await tokens(http)
    clock.elapsed += 180 * 86400
    assert (await refresh(http, pair["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"client_id": "local.other"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"code": "unknown"}, "invalid_grant"),
    ],
)
async def test_refusals_of_the_token_server(http: httpx.AsyncClient, changes: dict[str, str], error: str) -> None:
    answer = await exchange(http, await code(http), **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_a_refused_request_leaves_the_code_good(http: httpx.AsyncClient) -> None:
    given = await code(http)
    await exchange(http, given, client_secret="wrong")
    assert (await exchange(http, given)).status_code == 200


async def test_the_token_server_is_asked_by_get(http: httpx.AsyncClient) -> None:
    answer = await http.post(TOKEN_PATH, data={"grant_type": "refresh_token", **CLIENT, "refresh_token": "x"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert (await http.get("/oauth/other/")).status_code == 404


async def test_an_unknown_client_may_be_refused_with_200(world: World, http: httpx.AsyncClient) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, unknown_client="wrong_client")
    answer = await exchange(http, await code(http), client_id="local.other")
    assert (answer.status_code, answer.json()["error"]) == (200, "wrong_client")


@pytest.mark.parametrize(
    ("method", "auth", "status", "error"),
    [
        ("no.such.method", "unknown", 404, "ERROR_METHOD_NOT_FOUND"),
        (LIST, None, 401, "NO_AUTH_FOUND"),
        ("batch", None, 401, "NO_AUTH_FOUND"),
        (LIST, "unknown", 401, "invalid_token"),
        ("batch", "unknown", 401, "invalid_token"),
    ],
)
async def test_the_method_is_looked_at_before_the_token(
    http: httpx.AsyncClient, method: str, auth: str | None, status: int, error: str
) -> None:
    answer = await http.post(f"/rest/{method}", json={"resourceId": 15, "auth": auth})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_the_token_is_looked_at_before_the_scope(
    world: World, application: Application, clock: FakeClock
) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, booking_scope=False, exhausted=(LIST,))
    assert await application.error(LIST) == (401, "insufficient_scope")
    clock.elapsed += 3600
    assert await application.error(LIST) == (401, "expired_token")


async def test_a_batch_by_token(application: Application) -> None:
    batch = await application.batch({"a": f"{LIST}?resourceId=15"})
    assert len(batch["result"]["a"]["slots"]) == 1


async def test_a_renamed_portal_tells_its_new_address_with_the_tokens(world: World, http: httpx.AsyncClient) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, renamed_to="127.0.0.1:8765")
    assert (await tokens(http))["client_endpoint"] == "http://127.0.0.1:8765/rest/"


def test_a_lost_answer_of_the_token_server_may_have_used_the_refresh_token_up(world: World) -> None:
    old = world.portal.application.issue(3600)
    query = f"grant_type=refresh_token&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&refresh_token={old.refresh}"

    def ask() -> Answer:
        return world.answer("GET", TOKEN_PATH, query, {"Host": "127.0.0.1"}, b"")

    world.faults.append(Fault(TOKEN_PATH, "drop-before"))
    world.faults.append(Fault(TOKEN_PATH, "drop-after"))
    assert (ask().dropped, world.portal.application.knows(old.access)) == (True, True)
    assert (ask().dropped, world.portal.application.knows(old.access)) == (True, False)
    assert ask().status == 400


async def test_the_token_server_costs_no_quota_of_the_portal(world: World, http: httpx.AsyncClient) -> None:
    for _ in range(3):
        await tokens(http)
    assert world.portal.bucket.level == 0
