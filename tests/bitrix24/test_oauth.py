"""The way in as an application: when a token is renewed, how often, and that no pair is ever lost or shown."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from slotbridge.bitrix24.commands import Command
from slotbridge.bitrix24.token_server import Application
from slotbridge.errors import AccessRefused, ApiError, NotSent, SlotbridgeError, StoreError
from slotbridge.http.tokens import TokenPair
from tests.bitrix24.tokens import CLIENT, CLIENT_SECRET, CODE, PORTAL, Cloud

READ = Command("booking.v1.resource.get", {"id": 15}, "resource 15")
WRITE = Command("booking.v1.resource.slots.unset", {"resourceId": 15}, "resource 15", write=True)


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud()
    cloud.granted()
    return cloud


async def refused(cloud: Cloud, command: Command = READ) -> SlotbridgeError:
    with pytest.raises(SlotbridgeError) as caught:
        await cloud.gateway.call(command)
    return caught.value


async def test_the_token_travels_in_the_body_and_nothing_is_renewed_unasked(cloud: Cloud) -> None:
    cloud.keeper.pairs[CLIENT] = TokenPair(*cloud.pair, cloud.clock.now() - timedelta(days=9), f"{PORTAL}/rest/")
    assert await cloud.gateway.call(READ) == {"id": 15}
    assert (cloud.calls, cloud.asked) == (["acc3ss1x"], [])


@pytest.mark.parametrize("command", [READ, WRITE])
async def test_an_expired_token_is_renewed_and_the_call_repeated(cloud: Cloud, command: Command) -> None:
    cloud.expired = True
    assert await cloud.gateway.call(command)
    assert cloud.calls == ["acc3ss1x", "acc3ss2x"]
    assert cloud.asked[0].path == "/oauth/token/"
    assert dict(cloud.asked[0].params) == {
        "grant_type": "refresh_token",
        "client_id": CLIENT,
        "client_secret": CLIENT_SECRET,
        "refresh_token": "r3fr3sh1x",
    }


async def test_all_waiting_calls_share_one_renewal(cloud: Cloud) -> None:
    cloud.expired = True
    results = await asyncio.gather(*(cloud.gateway.call(READ) for _ in range(10)))
    assert results == [{"id": 15}] * 10
    assert len(cloud.asked) == 1


async def test_the_new_pair_is_stored_before_it_is_used() -> None:
    stored: list[str] = []

    class Watching(Cloud):
        def answer(self, request: httpx.Request) -> httpx.Response:
            stored.append(self.keeper.pairs[CLIENT].refresh_token)
            return super().answer(request)

    watching = Watching()
    watching.granted()
    watching.expired = True
    await watching.gateway.call(READ)
    assert stored == ["r3fr3sh1x", "r3fr3sh2x"]
    pair = watching.keeper.pairs[CLIENT]
    assert (pair.access_token, pair.expires_at) == ("acc3ss2x", watching.clock.now() + timedelta(hours=1))


async def test_a_token_that_another_process_renewed_is_taken_over(cloud: Cloud) -> None:
    await cloud.gateway.call(READ)
    cloud.granted()
    assert await cloud.gateway.call(READ)
    assert (cloud.calls[1:], cloud.asked) == (["acc3ss1x", "acc3ss2x"], [])


async def test_a_token_taken_over_may_be_expired_as_well(cloud: Cloud) -> None:
    await cloud.gateway.call(READ)
    cloud.granted()
    cloud.expired = True
    assert await cloud.gateway.call(READ)
    assert cloud.calls[1:] == ["acc3ss1x", "acc3ss2x", "acc3ss3x"]
    assert len(cloud.asked) == 1


async def test_two_processes_need_one_renewal(cloud: Cloud) -> None:
    other = cloud.another_gateway(cloud.another_access())
    await asyncio.gather(cloud.gateway.call(READ), other.call(READ))
    cloud.expired = True
    assert await cloud.gateway.call(READ)
    assert await other.call(READ)
    assert len(cloud.asked) == 1


class Stubborn(Cloud):
    """Refuses whatever token it is shown."""

    def __init__(self, refusal: str) -> None:
        super().__init__()
        self.granted()
        self.refusal = refusal

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.expired = True
        return super().answer(request)


async def test_a_portal_that_calls_every_token_expired_does_not_get_us_into_a_loop() -> None:
    stubborn = Stubborn("expired_token")
    assert type(await refused(stubborn)) is AccessRefused
    assert len(stubborn.asked) == 2


async def test_an_invalid_token_is_renewed_once_at_most() -> None:
    stubborn = Stubborn("invalid_token")
    for _ in range(3):
        assert "slotbridge auth" in str(await refused(stubborn))
    assert len(stubborn.asked) == 1


@pytest.mark.parametrize(
    "code", ["NO_AUTH_FOUND", "INVALID_CREDENTIALS", "insufficient_scope", "ERROR_OAUTH", "ACCESS_DENIED", "X"]
)
async def test_no_other_401_renews_anything(cloud: Cloud, code: str) -> None:
    cloud.expired, cloud.refusal = True, code
    assert isinstance(await refused(cloud), ApiError)
    assert (len(cloud.calls), cloud.asked) == (1, [])


class ExpiredInBatch(Cloud):
    """The token expires after the first command of a batch, so that all the others are refused."""

    def answer(self, request: httpx.Request) -> httpx.Response:
        super().answer(request)
        keys = list(json.loads(request.content)["cmd"])
        done = dict.fromkeys(keys[:1] if len(self.calls) == 1 else keys, True)
        errors = {key: {"error": "expired_token", "error_description": ""} for key in keys if key not in done}
        return httpx.Response(200, json={"result": {"result": done, "result_error": errors or []}})


async def test_an_expired_token_inside_a_batch_is_renewed_for_these_commands_alone() -> None:
    cloud = ExpiredInBatch()
    cloud.granted()
    assert await cloud.gateway.batch([WRITE, READ], "the batch") == [True, True]
    assert cloud.calls == ["acc3ss1x", "acc3ss2x"]


async def test_a_renewal_that_fails_inside_a_batch_leaves_what_was_executed_executed() -> None:
    cloud = ExpiredInBatch()
    cloud.granted()
    cloud.script = [httpx.ConnectError("refused")] * 9
    done, *others = await cloud.gateway.batch([WRITE, READ, WRITE], "the batch")
    assert done is True
    assert [type(other) for other in others] == [NotSent, NotSent]
    assert [other.item for other in others if isinstance(other, ApiError)] == ["resource 15"] * 2
    assert len(cloud.script) == 7


# What can go wrong


async def test_access_that_another_process_got_is_noticed_once_and_used() -> None:
    cloud = Cloud()
    assert not cloud.access.granted_anew()
    with pytest.raises(AccessRefused):
        await cloud.gateway.call(READ)
    for _ in range(2):
        cloud.granted()
        assert cloud.access.granted_anew()
        assert not cloud.access.granted_anew()
        await cloud.gateway.call(READ)
    assert cloud.calls == ["acc3ss1x", "acc3ss2x"]
    assert cloud.asked == []


async def test_a_pair_that_we_renewed_ourselves_is_nothing_new(cloud: Cloud) -> None:
    await cloud.gateway.call(READ)
    cloud.expired = True
    await cloud.gateway.call(READ)
    assert len(cloud.asked) == 1
    assert not cloud.access.granted_anew()


async def test_while_we_renew_nothing_is_taken_over(cloud: Cloud) -> None:
    await cloud.gateway.call(READ)
    cloud.expired, cloud.delay = True, 0.01
    call = asyncio.create_task(cloud.gateway.call(READ))
    await cloud.reached.wait()
    cloud.keeper.pairs[CLIENT] = replace(cloud.keeper.pairs[CLIENT], access_token="other")
    assert not cloud.access.granted_anew()
    await call


async def test_nobody_has_granted_access_yet() -> None:
    error = await refused(Cloud())
    assert type(error) is AccessRefused
    assert error.hint == "Run `slotbridge auth`"


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), httpx.Response(502, text="<html>"), httpx.Response(200)])
async def test_a_lost_answer_is_asked_for_once_more(cloud: Cloud, lost: httpx.Response | Exception) -> None:
    cloud.expired = True
    cloud.script = [lost]
    assert await cloud.gateway.call(READ)
    assert len(cloud.asked) == 2


async def test_a_lost_answer_that_used_up_the_old_token_needs_a_person(cloud: Cloud) -> None:
    cloud.expired = cloud.lossy = True
    cloud.script = [httpx.ReadTimeout("slow")]
    error = await refused(cloud)
    assert type(error) is AccessRefused
    assert "slotbridge auth" in (error.hint or "")
    assert len(cloud.asked) == 2


async def test_answers_that_stay_lost_are_no_unknown_outcome_of_the_call(cloud: Cloud) -> None:
    cloud.expired = True
    cloud.script = [httpx.ReadTimeout("slow")] * 2
    error = await refused(cloud, WRITE)
    assert type(error) is NotSent
    assert "slotbridge auth" in (error.hint or "")
    assert len(cloud.asked) == 2


async def test_without_a_connection_nothing_is_used_up_and_the_next_call_tries_again(cloud: Cloud) -> None:
    cloud.expired = True
    cloud.script = [httpx.ConnectError("refused")] * 2
    assert type(await refused(cloud)) is NotSent
    assert await cloud.gateway.call(READ)


async def test_a_database_that_takes_nothing_is_found_out_while_the_old_pair_is_good(cloud: Cloud) -> None:
    cloud.expired = True
    cloud.keeper.broken = StoreError("the disk is full")
    assert type(await refused(cloud)) is StoreError
    assert cloud.asked == []
    cloud.keeper.broken = None
    assert await cloud.gateway.call(READ)


class FullInBetween(Cloud):
    """The disk is full as soon as a new pair came, until there is `room`."""

    room = False

    async def give_tokens(self, request: httpx.Request) -> httpx.Response:
        self.keeper.broken = None if self.room else StoreError("the disk is full")
        return await super().give_tokens(request)

    def make_room(self) -> None:
        self.room, self.keeper.broken = True, None


@pytest.fixture
async def full() -> FullInBetween:
    """A cloud whose new pair could not be stored."""
    full = FullInBetween()
    full.granted()
    full.expired = True
    assert type(await refused(full)) is StoreError
    full.make_room()
    return full


async def test_a_pair_that_could_not_be_stored_is_kept_until_it_can(full: FullInBetween) -> None:
    assert await full.gateway.call(READ)
    assert len(full.asked) == 1
    assert full.keeper.pairs[CLIENT].refresh_token == "r3fr3sh2x"


async def test_a_pair_that_could_not_be_stored_replaces_none_that_was_granted_since(full: FullInBetween) -> None:
    full.granted()
    assert await full.gateway.call(READ)
    full.expired = True
    assert await full.gateway.call(READ)
    assert full.keeper.pairs[CLIENT].refresh_token == "r3fr3sh4x"


async def test_a_renewal_that_is_cancelled_is_finished_and_stored(cloud: Cloud) -> None:
    cloud.expired, cloud.delay = True, 0.02
    call = asyncio.create_task(cloud.gateway.call(READ))
    await cloud.reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert cloud.keeper.pairs[CLIENT].refresh_token == "r3fr3sh2x"


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        (httpx.Response(400, json={"error": "invalid_grant"}), "slotbridge auth"),
        (httpx.Response(400, json={"error": "invalid_client"}), "client_secret"),
        (httpx.Response(200, json={"error": "wrong_client"}), "client_secret"),
        (httpx.Response(400, json={"error": "invalid_request"}), "token_url"),
        (httpx.Response(401, json={"error": "PAYMENT_REQUIRED"}), "commercial plan"),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), "token_url"),
    ],
)
async def test_what_the_token_server_refuses_names_the_remedy(
    cloud: Cloud, answer: httpx.Response, remedy: str
) -> None:
    cloud.expired = True
    cloud.script = [answer]
    assert remedy in str(await refused(cloud))
    assert (len(cloud.asked), cloud.number) == (1, 1)


# A portal that moved


async def test_a_renamed_portal_is_followed(cloud: Cloud) -> None:
    cloud.expired, cloud.renamed = True, "https://renamed.bitrix24.com"
    await cloud.gateway.call(READ)
    assert cloud.hosts == ["example.bitrix24.com", "renamed.bitrix24.com"]
    assert cloud.keeper.pairs[CLIENT].endpoint == "https://renamed.bitrix24.com/rest/"


UNSAFE = ["http://renamed.bitrix24.com", "ftp://x", "https://u:p@x", "https://[", "", "//x"]
UNUSABLE = ["https://x:99999999", "https://a b", "https://\u00e9.example", "https://x/elsewhere?"]


@pytest.mark.parametrize("address", [*UNSAFE, *UNUSABLE])
async def test_a_token_is_sent_nowhere_unsafe(cloud: Cloud, address: str) -> None:
    cloud.expired, cloud.renamed = True, address
    await cloud.gateway.call(READ)
    assert set(cloud.hosts) == {"example.bitrix24.com"}


async def test_an_address_that_is_not_that_of_the_methods_is_not_followed(cloud: Cloud) -> None:
    cloud.number = 2  # the portal takes the next token only
    answer = {**cloud.tokens(), "client_endpoint": "https://renamed.bitrix24.com/"}
    cloud.script = [httpx.Response(200, json=answer)]
    assert await cloud.gateway.call(READ)
    assert set(cloud.hosts) == {"example.bitrix24.com"}


@pytest.mark.parametrize("token", ["acc3ss\ud800", "acc3ss\x00", "two words", "\u00e4", 5])
async def test_what_cannot_be_a_token_is_no_answer(token: object, cloud: Cloud) -> None:
    answer = json.dumps({**cloud.tokens(), "access_token": token}).encode()
    cloud.expired, cloud.script = True, [httpx.Response(200, content=answer)] * 2
    assert type(await refused(cloud)) is NotSent
    assert cloud.keeper.pairs[CLIENT].refresh_token == "r3fr3sh1x"


async def test_a_member_that_cannot_be_stored_is_left_out(cloud: Cloud) -> None:
    cloud.number = 2
    answer = json.dumps({**cloud.tokens(), "member_id": "\ud800"}).encode()
    cloud.script = [httpx.Response(200, content=answer)]
    assert await cloud.gateway.call(READ)
    assert cloud.keeper.pairs[CLIENT].member_id == "member"


async def test_a_server_on_this_machine_may_be_asked_in_the_clear(cloud: Cloud) -> None:
    cloud.expired, cloud.renamed = True, "http://127.0.0.1:8788"
    await cloud.gateway.call(READ)
    assert cloud.hosts[1] == "127.0.0.1"


# The first pair


async def test_a_code_becomes_the_first_pair() -> None:
    cloud = Cloud()
    pair = await cloud.access.authorize(CODE)
    assert cloud.keeper.pairs[CLIENT] == pair
    assert dict(cloud.asked[0].params)["grant_type"] == "authorization_code"
    assert await cloud.gateway.call(READ) == {"id": 15}


async def test_a_code_that_is_too_old_says_so() -> None:
    with pytest.raises(AccessRefused, match="30 seconds"):
        await Cloud().access.authorize("0ld")


async def test_a_lost_answer_to_a_code_is_not_asked_for_again() -> None:
    cloud = Cloud()
    cloud.script = [httpx.ReadTimeout("slow")]
    with pytest.raises(AccessRefused, match="another code"):
        await cloud.access.authorize(CODE)
    assert (len(cloud.asked), cloud.keeper.pairs) == (1, {})


async def test_a_code_of_another_portal_is_not_stored() -> None:
    cloud = Cloud()
    cloud.renamed = "https://other.bitrix24.com"
    with pytest.raises(AccessRefused, match=r"other\.bitrix24\.com.*bitrix24\.oauth\.portal"):
        await cloud.access.authorize(CODE)
    assert cloud.keeper.pairs == {}


# Secrets

SECRETS = ("acc3ss", "r3fr3sh", CLIENT_SECRET, CODE)


def leaky(status: int = 400) -> httpx.Response:
    said = " ".join([*SECRETS, "acc3ss1x r3fr3sh1x"])
    return httpx.Response(status, json={"error": "invalid_grant", "error_description": said})


@pytest.mark.parametrize(
    "script",
    [
        [leaky()],
        [httpx.Response(400, json={"error": f"r3fr3sh1x {CLIENT_SECRET}"})],
        [httpx.Response(200, text=f"<html>r3fr3sh1x {CLIENT_SECRET}")] * 2,
        [httpx.Response(302, headers={"Location": f"https://{CLIENT_SECRET}/?refresh_token=r3fr3sh1x"})],
        [httpx.ReadError(f"https://x/?refresh_token=r3fr3sh1x&client_secret={CLIENT_SECRET}")] * 2,
        [httpx.ConnectError(f"https://x/?client_secret={CLIENT_SECRET}&refresh_token=r3fr3sh1x")] * 2,
        [],
    ],
)
async def test_no_token_is_in_a_message_repr_or_log(
    cloud: Cloud, script: list[httpx.Response | Exception], caplog: pytest.LogCaptureFixture
) -> None:
    cloud.expired, cloud.script = True, script
    if not script:
        cloud.refusal = "NO_AUTH_FOUND"
    with caplog.at_level(logging.DEBUG):
        error = await refused(cloud)
    shown = "".join(traceback.format_exception(error)) + caplog.text
    shown += f"{error!r} {error.as_json()} {error.__dict__} {error.__context__} {cloud.access!r} {cloud.gateway!r}"
    shown += f"{cloud.keeper.pairs} {Application(CLIENT, CLIENT_SECRET, PORTAL, PORTAL)!r}"
    for secret in ("acc3ss1x", "r3fr3sh1x", CLIENT_SECRET):
        assert secret.lower() not in shown.lower()


async def test_a_code_is_in_no_message(caplog: pytest.LogCaptureFixture) -> None:
    cloud = Cloud()
    cloud.script = [leaky()]
    with caplog.at_level(logging.DEBUG), pytest.raises(AccessRefused) as caught:
        await cloud.access.authorize(CODE)
    assert CODE not in "".join(traceback.format_exception(caught.value)) + caplog.text
