"""The control pages of the Bitrix24 side."""

from __future__ import annotations

from typing import TypedDict

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slotbridge.lenses.items import Range
from slotbridge.sandbox.control_forms import Page, checked, json_body, own_address, require
from slotbridge.sandbox.portal_rows import Client, StoredContact
from slotbridge.sandbox.portal_state import PortalState
from slotbridge.sandbox.world import World


class _RangeBody(BaseModel):
    """A range as the API writes it; an id is ignored."""

    start: int = Field(alias="from")
    end: int = Field(alias="to")
    timezone: str
    week_days: tuple[str, ...] = Field(alias="weekDays")
    slot_size: int = Field(alias="slotSize")


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _NewResource(_Form):
    name: str


class _ResourceEdit(_Form):
    name: str | None = None
    description: str | None = None


class _Outgoing(_Form):
    url: str
    token: str = "sandboxoutgoingtoken"  # noqa: S105 - the sandbox's, known to everybody


class _Level(_Form):
    level: float = Field(ge=0, strict=False)


class Bucket(TypedDict):
    level: float
    size: int
    rate: float


def portal_pages() -> list[Page]:
    """What a person does in Bitrix24's interface, and how full the portal's bucket is."""
    one = "/bitrix24/resources/{resource:int}"
    return [
        ("POST", "/bitrix24/resources", _add_resource),
        ("PATCH", one, _edit_resource),
        ("DELETE", one, _remove_resource),
        ("PUT", f"{one}/slots", _put_ranges),
        ("POST", "/bitrix24/outgoing-webhook", _set_outgoing),
        ("DELETE", "/bitrix24/outgoing-webhook", _clear_outgoing),
        ("GET", "/bitrix24/bucket", _bucket),
        ("PUT", "/bitrix24/bucket", _fill_bucket),
    ]


def portal_shown(state: PortalState) -> dict[str, object]:
    """Everything that the portal holds, as people see it."""
    return {
        "resources": [resource_shown(state, resource_id) for resource_id in state.resources],
        "waitlist": [
            {"id": row.id, "note": row.note, "clients": [_client(each) for each in row.clients]}
            for row in state.waitlist.values()
        ],
        "contacts": [_contact(row) for row in state.contacts.values()],
    }


def resource_shown(state: PortalState, resource_id: int) -> dict[str, object]:
    resource = state.resources[resource_id]
    rows = [{"id": row.id, **_range_members(row.range)} for row in resource.slots]
    return {"id": resource.id, "name": resource.name, "description": resource.description, "slots": rows}


def bucket_shown(state: PortalState) -> Bucket:
    """How many requests are in the bucket, how many go in, and how many leave in a second."""
    bucket = state.sized_bucket()
    return {"level": round(bucket.level, 2), "size": bucket.size, "rate": bucket.rate}


async def _add_resource(world: World, request: Request) -> Response:
    new = world.portal.add_resource(checked(_NewResource, await json_body(request)).name)
    return JSONResponse(resource_shown(world.portal, new), 201)


async def _edit_resource(world: World, request: Request) -> Response:
    resource_id = _resource_id(world, request)
    edit = checked(_ResourceEdit, await json_body(request))
    world.portal.edit_resource(resource_id, name=edit.name, description=edit.description)
    return JSONResponse(resource_shown(world.portal, resource_id))


async def _remove_resource(world: World, request: Request) -> Response:
    world.portal.remove_resource(_resource_id(world, request))
    return JSONResponse({"removed": True})


async def _put_ranges(world: World, request: Request) -> Response:
    resource_id = _resource_id(world, request)
    ranges = checked(list[_RangeBody], await json_body(request))
    world.portal.put_slots(resource_id, [Range(**item.model_dump()) for item in ranges])
    return JSONResponse(resource_shown(world.portal, resource_id))


async def _set_outgoing(world: World, request: Request) -> Response:
    given = checked(_Outgoing, await json_body(request))
    events = world.portal.events
    events.outgoing = events.listen(own_address(given.url), given.token)
    return JSONResponse({"url": given.url, "token": given.token}, 201)


async def _clear_outgoing(world: World, _request: Request) -> Response:
    world.portal.events.outgoing = None
    return JSONResponse({"removed": True})


async def _bucket(world: World, _request: Request) -> Response:
    return JSONResponse(bucket_shown(world.portal))


async def _fill_bucket(world: World, request: Request) -> Response:
    world.portal.sized_bucket().level = checked(_Level, await json_body(request)).level
    return JSONResponse(bucket_shown(world.portal))


def _resource_id(world: World, request: Request) -> int:
    resource_id: int = request.path_params["resource"]
    require(resource_id in world.portal.resources, "no such resource")
    return resource_id


def _client(client: Client) -> dict[str, object]:
    return {"id": client.id, "module": client.module, "code": client.code}


def _contact(row: StoredContact) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "last_name": row.last_name,
        "phones": [item.value for item in row.values("PHONE")],
        "emails": [item.value for item in row.values("EMAIL")],
    }


def _range_members(item: Range) -> dict[str, object]:
    return {
        "from": item.start,
        "to": item.end,
        "timezone": item.timezone,
        "weekDays": list(item.week_days),
        "slotSize": item.slot_size,
    }
