"""`booking.v1.waitlist.*` and the clients of its items."""

from __future__ import annotations

from datetime import datetime

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Params, Refusal, array, integer, optional_array, require, require_fields
from slotbridge.sandbox.portal_lists import page
from slotbridge.sandbox.portal_rows import Client, StoredWaitItem
from slotbridge.sandbox.portal_state import PortalState

_DATE = "%d.%m.%Y"  # the portal's own date format, which the administrator chooses
_CLIENT_TYPES = (("COMPANY", "crm"), ("CONTACT", "crm"))


def waitlist_add(state: PortalState, params: Params) -> object:
    """A new item; the note may be missing."""
    require(params, "fields")
    fields = php.items(array(params, "fields"))
    if not state.behaviour.waitlist_feature:
        raise Refusal("0", "Feature is not available")
    new = state.add_wait_item(php.to_text(fields.get("note")))
    return {"id": new} if state.behaviour.added_id == "object" else new


def waitlist_get(state: PortalState, params: Params) -> object:
    """One item; its clients are not part of it."""
    require(params, "id")
    return {"waitList": _shown(state, _found(state, integer(params, "id")))}


def waitlist_list(state: PortalState, params: Params) -> object:
    """One page, by id; there is no other order."""
    rows = sorted(state.waitlist.values(), key=lambda row: row.id)
    within = optional_array(params, "filter").get("createdWithin")
    if php.is_array(within):
        begin, end = _period(php.items(within))
        rows = [row for row in rows if begin <= row.created_at.replace(tzinfo=None) < end]
    return {"waitList": [_shown(state, row) for row in page(rows, params)]}


def waitlist_update(state: PortalState, params: Params) -> object:
    """Changes the note."""
    require(params, "id", "fields")
    row, fields = _found(state, integer(params, "id")), php.items(array(params, "fields"))
    row.note = php.to_text(fields.get("note", row.note))
    state.notify("ONBOOKINGWAITLISTITEMUPDATE", row.id)
    return True


def waitlist_delete(state: PortalState, params: Params) -> object:
    """Removes an item."""
    require(params, "id")
    if state.waitlist.pop(integer(params, "id"), None) is None:
        raise Refusal("1036", "Wait list not found")
    state.notify("ONBOOKINGWAITLISTITEMDELETE", integer(params, "id"))
    return True


def client_list(state: PortalState, params: Params) -> object:
    """The clients of an item."""
    require(params, "waitListId")
    clients = _found(state, integer(params, "waitListId")).clients
    shown = [{"id": each.id, "type": {"code": each.code, "module": each.module}} for each in clients]
    return {"waitListClient": shown}


def client_set(state: PortalState, params: Params) -> object:
    """Replaces all clients, or none if one of them is bad. Whether the contact exists is not checked."""
    require(params, "waitListId", "clients")
    item_id = integer(params, "waitListId")
    clients = tuple(_client(each) for each in php.values(array(params, "clients")))
    row = _found(state, item_id)
    known = _CLIENT_TYPES if state.behaviour.client_types else ()
    if any((each.code, each.module) not in known for each in clients):
        raise Refusal("1025", "Client type not found")
    if len(set(clients)) < len(clients):
        text = "Mysql query error: (1062) Duplicate entry for key 'IX_BOOKING_WAIT_LIST_ITEM_CLIENT'"
        raise Refusal("1035", text)
    row.clients = clients
    state.notify("ONBOOKINGWAITLISTITEMUPDATE", row.id)
    return True


def client_unset(state: PortalState, params: Params) -> object:
    """Removes all clients; it is no error if there are none."""
    require(params, "waitListId")
    row = _found(state, integer(params, "waitListId"))
    row.clients = ()
    state.notify("ONBOOKINGWAITLISTITEMUPDATE", row.id)
    return True


def client_type_list(state: PortalState, _params: Params) -> object:
    """The kinds of clients; a fresh portal has none yet."""
    known = _CLIENT_TYPES if state.behaviour.client_types else ()
    return {"clientType": [{"code": code, "module": module} for code, module in known]}


def _found(state: PortalState, item_id: int) -> StoredWaitItem:
    row = state.waitlist.get(item_id)
    if row is None:
        raise Refusal("1040", "Wait list not found")
    return row


def _client(given: object) -> Client:
    fields = php.items(given)
    require_fields(fields, "id", "type")
    kind = php.items(fields["type"])
    require_fields(kind, "module", "code")
    return Client(php.to_int(fields["id"]), php.to_text(kind["module"]), php.to_text(kind["code"]))


def _period(within: dict[str, object]) -> tuple[datetime, datetime]:
    require_fields(within, "from", "to")
    return _day(within["from"]), _day(within["to"])


def _day(value: object) -> datetime:
    try:
        return datetime.strptime(php.to_text(value), _DATE)  # noqa: DTZ007 - a day of the portal's own calendar
    except ValueError as error:
        raise Refusal("422", "Invalid date") from error


def _shown(state: PortalState, row: StoredWaitItem) -> dict[str, object]:
    return {"id": row.id, "note": (row.note or None) if state.behaviour.empty_as_null else row.note}
