"""Error codes: the code decides, and the hint names the remedy."""

from __future__ import annotations

import pytest

from slotbridge.bitrix24.access import WEBHOOK_WORDS, Words
from slotbridge.bitrix24.codes import MEANINGS, PARTICULAR, error_for
from slotbridge.bitrix24.token_server import APPLICATION_WORDS
from slotbridge.errors import AccessRefused, ApiError, BadAnswer, LimitReached, NotFound, OutcomeUnknown, Rejected
from slotbridge.http.retry import may_repeat


def kind(code: str, *, write: bool = False, status: int | None = None) -> type[ApiError]:
    return type(error_for(code, "", item="resource 15", write=write, status=status))


@pytest.mark.parametrize(
    ("expected", "codes"),
    [
        (LimitReached, ["QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT"]),
        (
            AccessRefused,
            [
                *("OVERLOAD_LIMIT", "NO_AUTH_FOUND", "INVALID_CREDENTIALS", "insufficient_scope"),
                *("user_access_error", "ACCESS_DENIED", "PORTAL_DELETED", "INVALID_REQUEST", "403"),
                *("WRONG_AUTH_TYPE", "expired_token", "invalid_token", "ERROR_OAUTH"),
                *("APPLICATION_NOT_FOUND", "PAYMENT_REQUIRED"),
            ],
        ),
        (NotFound, ["1009"]),
        (
            Rejected,
            [
                *("0", "100", "422", "1007", "22002", "ERROR_ARGUMENT", "ERROR_METHOD_NOT_FOUND"),
                *("invalid_http_method", "ERROR_BATCH_LENGTH_EXCEEDED", "ERROR_BATCH_METHOD_NOT_ALLOWED"),
            ],
        ),
        (OutcomeUnknown, ["INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER", "ERROR_CORE"]),
    ],
)
@pytest.mark.parametrize("status", [None, 200, 400, 401, 403, 500, 503])
def test_the_code_decides_whatever_the_status(expected: type[ApiError], codes: list[str], status: int | None) -> None:
    assert {kind(code, write=write, status=status) for code in codes for write in (True, False)} == {expected}


def test_an_answer_that_could_not_be_encoded_has_been_executed() -> None:
    assert kind("WRONG_ENCODING") is BadAnswer
    assert kind("WRONG_ENCODING", write=True) is OutcomeUnknown


@pytest.mark.parametrize(
    ("status", "expected"), [(None, ApiError), (400, ApiError), (500, OutcomeUnknown), (503, OutcomeUnknown)]
)
def test_an_unknown_code_is_final_below_500_and_open_from_there(status: int | None, expected: type[ApiError]) -> None:
    assert kind("SOMETHING_NEW", status=status) is expected


@pytest.mark.parametrize(
    ("code", "method", "remedy"),
    [
        ("insufficient_scope", "booking.v1.resource.slots.list", "Online booking (booking)"),
        ("insufficient_scope", "crm.contact.add", "CRM (crm)"),
        ("INVALID_CREDENTIALS", "", "bitrix24.webhook_url"),
        ("NO_AUTH_FOUND", "", "anew"),
        ("ERROR_METHOD_NOT_FOUND", "", "too old"),
        ("1009", "booking.v1.resource.get", "slotbridge discover"),
        ("OVERLOAD_LIMIT", "", "support"),
        ("INVALID_REQUEST", "", "https://"),
        ("ACCESS_DENIED", "", "commercial plan"),
        ("0", "booking.v1.resource.slots.set", "switched off"),
        ("0", "booking.v1.waitlist.add", "wait list"),
        ("422", "booking.v1.resource.slots.set", "1440"),
        ("422", "booking.v1.resourceType.update", "[[resource_types]]"),
        ("1011", "booking.v1.resourceType.update", "new code"),
        ("1025", "booking.v1.waitlist.client.set", "by hand"),
        ("WRONG_AUTH_TYPE", "event.bind", "[bitrix24.oauth]"),
        ("ERROR_EVENT_NOT_FOUND", "event.bind", "25.600"),
        ("ERROR_CORE", "event.bind", "already"),
    ],
)
def test_the_hint_names_the_remedy(code: str, method: str, remedy: str) -> None:
    assert remedy in (error_for(code, "", item="a", write=False, method=method).hint or "")


@pytest.mark.parametrize("code", ["NO_AUTH_FOUND", "expired_token", "invalid_token", "invalid_grant", "ERROR_OAUTH"])
def test_an_application_is_told_to_be_authorized_and_a_webhook_to_be_made_anew(code: str) -> None:
    application = error_for(code, "", item="a", write=False, words=APPLICATION_WORDS)
    webhook = error_for(code, "", item="a", write=False, words=WEBHOOK_WORDS)
    assert "slotbridge auth" in str(application)
    assert "webhook_url" not in str(application)
    assert "webhook_url" in str(webhook)
    assert "slotbridge auth" not in str(webhook)


def test_a_missing_permission_is_granted_where_that_way_in_has_its_permissions() -> None:
    application = error_for("insufficient_scope", "", item="a", write=False, words=APPLICATION_WORDS)
    assert "the application lacks the permission `booking`" in application.what
    assert "the application's permissions" in (application.hint or "")
    webhook = error_for("insufficient_scope", "", item="a", write=False, method="crm.contact.list")
    assert "the webhook lacks the permission `crm`" in webhook.what
    assert "inbound webhook" in (webhook.hint or "")


SLOTS, RESOURCE, TYPE = "booking.v1.resource.slots.set", "booking.v1.resource.", "booking.v1.resourceType."
WAITLIST, BOOKING = "booking.v1.waitlist.", "booking.v1.booking."

# The tables of the API's codes, row by row: where it comes from, what it is, whether reads and writes are sent again.
ROWS: list[tuple[str, str, type[ApiError], bool, bool]] = [
    ("0", SLOTS, Rejected, False, False),
    ("100", SLOTS, Rejected, False, False),
    ("403", SLOTS, AccessRefused, False, False),
    *(
        ("422", method, Rejected, False, False)
        for method in (SLOTS, f"{RESOURCE}add", f"{BOOKING}add", f"{WAITLIST}list")
    ),
    ("1006", f"{RESOURCE}add", Rejected, False, False),
    ("1007", f"{RESOURCE}update", Rejected, False, False),
    ("1007", SLOTS, Rejected, False, False),
    ("1007", f"{TYPE}update", NotFound, False, False),
    ("1008", f"{RESOURCE}delete", Rejected, False, False),
    ("1009", f"{RESOURCE}get", NotFound, False, False),
    ("1009", SLOTS, NotFound, False, False),
    ("1010", f"{TYPE}add", Rejected, False, False),
    ("1011", f"{TYPE}update", Rejected, False, False),
    ("1012", f"{TYPE}delete", Rejected, False, False),
    ("1013", f"{TYPE}get", NotFound, False, False),
    ("1013", f"{RESOURCE}update", NotFound, False, False),
    ("1017", SLOTS, Rejected, False, False),
    ("1018", f"{BOOKING}add", Rejected, False, False),
    ("1019", f"{BOOKING}update", Rejected, False, False),
    ("1020", f"{BOOKING}delete", NotFound, False, False),
    ("1021", f"{BOOKING}get", NotFound, False, False),
    ("1024", f"{BOOKING}add", Rejected, False, False),
    ("1025", f"{WAITLIST}client.set", Rejected, False, False),
    ("1026", f"{BOOKING}add", Rejected, False, False),
    ("1034", f"{WAITLIST}add", Rejected, False, False),
    ("1035", f"{WAITLIST}client.set", Rejected, False, False),
    ("1036", f"{WAITLIST}delete", NotFound, False, False),
    ("1037", f"{WAITLIST}createFromBooking", Rejected, False, False),
    ("1038", f"{BOOKING}createFromWaitList", Rejected, False, False),
    ("1040", f"{WAITLIST}get", NotFound, False, False),
    ("22002", f"{RESOURCE}gets", Rejected, False, False),
    ("QUERY_LIMIT_EXCEEDED", SLOTS, LimitReached, True, True),
    ("OPERATION_TIME_LIMIT", SLOTS, LimitReached, True, True),
    ("OVERLOAD_LIMIT", SLOTS, AccessRefused, False, False),
    ("INTERNAL_SERVER_ERROR", SLOTS, OutcomeUnknown, True, False),
    ("ERROR_UNEXPECTED_ANSWER", SLOTS, OutcomeUnknown, True, False),
    ("ERROR_METHOD_NOT_FOUND", SLOTS, Rejected, False, False),
    *(
        (code, SLOTS, AccessRefused, False, False)
        for code in (
            *("expired_token", "invalid_token", "NO_AUTH_FOUND", "INVALID_CREDENTIALS", "insufficient_scope"),
            *("user_access_error", "ACCESS_DENIED", "PORTAL_DELETED", "INVALID_REQUEST", "WRONG_AUTH_TYPE"),
            *("ERROR_OAUTH", "APPLICATION_NOT_FOUND", "PAYMENT_REQUIRED"),
        )
    ),
    ("ERROR_BATCH_LENGTH_EXCEEDED", SLOTS, Rejected, False, False),
    ("ERROR_BATCH_METHOD_NOT_ALLOWED", SLOTS, Rejected, False, False),
    ("ERROR_ARGUMENT", SLOTS, Rejected, False, False),
    ("ERROR_CORE", SLOTS, OutcomeUnknown, True, False),
    ("ERROR_CORE", "event.bind", Rejected, False, False),
    ("invalid_http_method", SLOTS, Rejected, False, False),
    ("WRONG_ENCODING", SLOTS, BadAnswer, False, False),
    ("ERROR_EVENT_NOT_FOUND", "event.bind", Rejected, False, False),
    ("ERROR_UNSUPPORTED_PROTOCOL", "event.bind", Rejected, False, False),
    ("ERROR_WRONG_HANDLER_URL", "event.bind", Rejected, False, False),
    *(
        (code, "oauth.refresh", AccessRefused, False, False)
        for code in ("invalid_grant", "invalid_client", "invalid_request", "wrong_client", "PAYMENT_REQUIRED")
    ),
]


@pytest.mark.parametrize("status", [200, 400, 401, 403, 503])
@pytest.mark.parametrize(("code", "method", "expected", "read_again", "write_again"), ROWS)
def test_every_row_of_the_codes(
    code: str, method: str, expected: type[ApiError], read_again: bool, write_again: bool, status: int
) -> None:
    read = error_for(code, "", item="a", write=False, method=method, status=status)
    write = error_for(code, "", item="a", write=True, method=method, status=status)
    assert type(read) is expected
    assert (may_repeat(read, repeatable=True), may_repeat(write, repeatable=False)) == (read_again, write_again)


def test_no_code_of_ours_is_without_its_row() -> None:
    known = {code for code, *_ in ROWS}
    assert {code.upper() for code in known} == set(MEANINGS) | {code for code, _ in PARTICULAR}


def test_the_message_has_the_code_and_what_the_server_said() -> None:
    error = error_for("1009", "Ressource nicht gefunden", item="resource 15", write=False, status=400)
    assert str(error).startswith(
        "Bitrix24, resource 15: this resource does not exist (1009: Ressource nicht gefunden). "
    )
    assert (error.code, error.status) == ("1009", 400)


@pytest.mark.parametrize("words", [WEBHOOK_WORDS, APPLICATION_WORDS])
def test_every_meaning_can_be_read_as_a_sentence(words: Words) -> None:
    for code, meaning in [*MEANINGS.items(), *((code, meaning) for (code, _), meaning in PARTICULAR.items())]:
        error = error_for(code, "", item="a", write=False, words=words)
        assert code == code.upper()
        assert meaning.what
        assert meaning.hint
        assert error.hint
        for text in (error.what, error.hint):
            assert not text.endswith(".")
            assert "{" not in text


def test_methods_in_particular_are_in_lower_case_so_that_they_are_found() -> None:
    assert all(name == name.lower() for _, name in PARTICULAR)


def test_braces_in_what_the_server_said_are_just_braces() -> None:
    assert "{name} {0}" in error_for("1009", "{name} {0}", item="a", write=False).what
