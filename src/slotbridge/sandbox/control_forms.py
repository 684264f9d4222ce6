"""What comes in at the control pages, checked; a mistake is answered with what is wrong."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slotbridge.sandbox import php
from slotbridge.sandbox.addresses import stays_here
from slotbridge.sandbox.world import World

T = TypeVar("T")
Handler = Callable[[World, Request], Awaitable[Response]]
Page = tuple[str, str, Handler]  # method, path below /_sandbox, what it does


async def json_body(request: Request) -> object:
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise HTTPException(400, "The body is not valid JSON") from error


def known(given: object, names: Iterable[str]) -> dict[str, object]:
    """The members of a JSON object, all of which must have one of these names."""
    require(given is None or isinstance(given, dict), "a JSON object is wanted", 400)
    members = php.items(given)
    unknown = members.keys() - set(names)
    require(not unknown, f"unknown: {', '.join(sorted(unknown))}", 400)
    return members


def checked(kind: type[T], values: object) -> T:
    """The values as a `kind`; a wrong one is answered with what is wrong."""
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise HTTPException(400, "; ".join(problems)) from error


def require(condition: bool, problem: str, status: int = 404) -> None:
    if not condition:
        raise HTTPException(status, problem)


def own_address(url: str) -> str:
    """An address on this machine: the sandbox sends nothing anywhere else."""
    require(stays_here(url), "url: an http address on this machine is wanted", 400)
    return url
