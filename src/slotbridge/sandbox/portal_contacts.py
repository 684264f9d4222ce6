"""`crm.contact.*` and `crm.duplicate.findbycomm`, as far as a client of the wait list needs them.

These are older methods: parameter names in any case, every value a text, real totals and `next`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Params, Refusal, Result, listed, lowered
from slotbridge.sandbox.portal_lists import PAGE, Key, Test, filtered, first_row, ordered
from slotbridge.sandbox.portal_rows import Communication, CommunicationKind, StoredContact
from slotbridge.sandbox.portal_state import PortalState

_KINDS: tuple[CommunicationKind, ...] = ("PHONE", "EMAIL")
_MOST_VALUES = 20


def contact_add(state: PortalState, params: Params) -> object:
    """A new contact; the same person twice is no error."""
    fields = php.items(lowered(params).get("fields"))
    new = state.add_contact(php.to_text(fields.get("NAME")), php.to_text(fields.get("LAST_NAME")))
    items = [_communication(state, kind, given) for kind in _KINDS for given in php.values(fields.get(kind))]
    state.contacts[new].communications = tuple(item for item in items if item.value)
    return new


def contact_get(state: PortalState, params: Params) -> object:
    """One contact, with its numbers and addresses."""
    contact = state.contacts.get(php.to_int(lowered(params).get("id")))
    if contact is None:
        raise Refusal("", "Not found")
    shown = {kind: _shown_values(contact, kind) for kind in _KINDS}
    return _shown(contact) | {kind: values for kind, values in shown.items() if values}


def contact_list(state: PortalState, params: Params) -> object:
    """One page. Numbers and addresses are found by their exact text, and shown only when they are selected."""
    given = lowered(params)
    rows = filtered(sorted(state.contacts.values(), key=_KEYS["ID"]), php.items(given.get("filter")), _TESTS)
    rows = ordered(rows, php.items(given.get("order")), _KEYS)
    first, select = first_row(given), set(map(php.to_text, php.values(given.get("select"))))
    following = first + PAGE if first + PAGE < len(rows) else None
    return Result([_selected(row, select) for row in rows[first : first + PAGE]], len(rows), following)


def find_by_communication(state: PortalState, params: Params) -> object:
    """The contacts with one of these numbers, however they were typed, or with one of these addresses."""
    given = lowered(params)
    kind, values = _kind(given.get("type")), [php.to_text(value) for value in php.values(given.get("values"))]
    if not values:
        raise Refusal("Communication values is not defined", "Parameter 'values' is required.")
    if given.get("entity_type") in ("LEAD", "COMPANY"):
        return {}
    normal = _digits if kind == "PHONE" else str.casefold
    wanted = {normal(value) for value in values[:_MOST_VALUES]} - {""}
    rows = [row for row in state.contacts.values() if any(normal(item.value) in wanted for item in row.values(kind))]
    return {"CONTACT": [row.id for row in rows[:_MOST_VALUES]]} if rows else {}


def _kind(given: object) -> CommunicationKind:
    if not given:
        raise Refusal("Communication type is not defined", "Parameter 'type' is required.")
    for kind in _KINDS:
        if given == kind:
            return kind
    raise Refusal(f"Communication type '{php.to_text(given)}' is not supported in current context", "")


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _communication(state: PortalState, kind: CommunicationKind, given: object) -> Communication:
    fields = php.items(given)
    value_type = php.to_text(fields.get("VALUE_TYPE")) or "WORK"
    return Communication(next(state.communication_ids), kind, php.to_text(fields.get("VALUE")), value_type)


def _having(kind: CommunicationKind) -> Callable[[object], Test[StoredContact]]:
    def test(value: object) -> Test[StoredContact]:
        wanted = set(map(php.to_text, listed(value)))
        return lambda row: any(item.value in wanted for item in row.values(kind))

    return test


_KEYS: Mapping[str, Key[StoredContact]] = {
    "ID": lambda row: row.id,
    "NAME": lambda row: row.name.casefold(),
    "LAST_NAME": lambda row: row.last_name.casefold(),
}
_TESTS: Mapping[str, Callable[[object], Test[StoredContact]]] = {
    "ID": lambda value: lambda row: row.id in set(map(php.to_int, listed(value))),
    ">ID": lambda value: lambda row: row.id > php.to_int(value),
    "NAME": lambda value: lambda row: row.name.casefold() == php.to_text(value).casefold(),
    "LAST_NAME": lambda value: lambda row: row.last_name.casefold() == php.to_text(value).casefold(),
    "PHONE": _having("PHONE"),
    "EMAIL": _having("EMAIL"),
}


def _selected(row: StoredContact, select: set[str]) -> dict[str, object]:
    fields = _shown(row)
    chosen = {name: value for name, value in fields.items() if not select or "*" in select or name in select}
    shown = {kind: _shown_values(row, kind) for kind in _KINDS if kind in select}
    return {"ID": fields["ID"], **chosen, **{kind: values for kind, values in shown.items() if values}}


def _shown(row: StoredContact) -> dict[str, object]:
    return {
        "ID": str(row.id),
        "NAME": row.name,
        "LAST_NAME": row.last_name or None,
        "HAS_PHONE": "Y" if row.values("PHONE") else "N",
        "HAS_EMAIL": "Y" if row.values("EMAIL") else "N",
        "DATE_CREATE": row.created_at.isoformat(timespec="seconds"),
    }


def _shown_values(row: StoredContact, kind: CommunicationKind) -> list[dict[str, str]]:
    return [
        {"ID": str(item.id), "VALUE_TYPE": item.value_type, "VALUE": item.value, "TYPE_ID": kind}
        for item in row.values(kind)
    ]
