"""Booking webhooks, and how requests leave the sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from slotbridge.sandbox import deliveries
from slotbridge.sandbox.addresses import is_loopback, origin, stays_here
from slotbridge.sandbox.deliveries import FORM, BookingHook, Delivered, Delivery, send
from slotbridge.sandbox.world import World

from .conftest import ReserveKit

HOOK = "http://127.0.0.1:9/hooks/reservekit"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def slot(world: World) -> int:
    return world.reservations.add_slot(123, 0, 540, 600, 2)


def told(world: World) -> list[tuple[str, list[int]]]:
    bodies: list[dict[str, Any]] = [json.loads(delivery.body) for delivery in world.deliver_events()]
    return [(body["event_type"], [booking["id"] for booking in body["bookings"]]) for body in bodies]


async def test_bookings_made_changed_and_removed_are_told(world: World, reservekit: ReserveKit, slot: int) -> None:
    old = world.reservations.add_booking(slot, "2026-03-09")
    world.watch_bookings(BookingHook(HOOK))
    assert told(world) == []
    made = await reservekit.data("POST", "/bookings?service_id=123", {"date": "2026-03-16", "time_slot_id": slot})
    assert told(world) == [("bookings.create", [int(made["id"])])]
    world.reservations.bookings[old].status = "cancelled"
    assert told(world) == [("bookings.update", [old])]
    del world.reservations.bookings[old]
    assert (told(world), told(world)) == ([("bookings.delete", [old])], [])


def test_the_envelope_of_the_guide(world: World, slot: int) -> None:
    world.watch_bookings(BookingHook(HOOK))
    world.reservations.add_booking(slot, "2026-03-09", name="Ada")
    [delivery] = world.deliver_events()
    body = json.loads(delivery.body)
    assert (delivery.url, delivery.content_type) == (HOOK, "application/json")
    assert (body["event_type"], body["timestamp"]) == ("bookings.create", "2026-03-02T12:00:00Z")
    assert (body["bookings"][0]["time_slot_id"], body["bookings"][0]["customer"]["name"]) == (slot, "Ada")


def test_the_bare_booking_of_an_older_page(world: World, slot: int) -> None:
    world.watch_bookings(BookingHook(HOOK, "bare"))
    new = world.reservations.add_booking(slot, "2026-03-09")
    [delivery] = world.deliver_events()
    assert json.loads(delivery.body)["id"] == new


def test_nobody_is_told_after_the_webhook_is_gone(world: World, slot: int) -> None:
    world.watch_bookings(BookingHook(HOOK))
    world.watch_bookings(None)
    world.reservations.add_booking(slot, "2026-03-09")
    assert told(world) == []


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?key=1"


async def test_a_delivery_is_one_post(world: World) -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        seen.append(await reader.readexactly(5))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async with listening(serve) as url:
        assert await send(Delivery(url, "a=%C3", FORM)) == Delivered(url, "a=%C3", 204)
    head = seen[0].decode()
    assert head.startswith("POST /hook?key=1 HTTP/1.1\r\n")
    assert f"Content-Type: {FORM}\r\n" in head
    assert seen[1] == b"a=%C3"


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n", b"HTTP/1.1 soon\r\n"])
async def test_an_answer_that_is_none_is_an_attempt_without_a_status(answer: bytes) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with listening(serve) as url:
        assert (await send(Delivery(url, "x", FORM))).status is None


async def test_a_handler_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "_PATIENCE", 0.05)

    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # to its end: the sandbox hangs up
        writer.close()
        gone.set()

    async with listening(serve) as url:
        assert (await send(Delivery(url, "x", FORM))).status is None
        await gone.wait()


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "https://127.0.0.1/", "http://example.com/", "http://[x"])
async def test_nothing_leaves_the_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    async def connect(*address: object) -> None:
        tried.append(address)

    monkeypatch.setattr(asyncio, "open_connection", connect)
    assert ((await send(Delivery(url, "x", FORM))).status, tried) == (None, [])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "example.com", "localhost.example.com"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_plain_http_is_for_this_machine_only() -> None:
    assert stays_here("http://[::1]:80/x")
    assert not stays_here("https://localhost/")
    assert origin("127.0.0.1:8080") == "http://127.0.0.1:8080"
    assert origin("example.bitrix24.com") == "https://example.bitrix24.com"
