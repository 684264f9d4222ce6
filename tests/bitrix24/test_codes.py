"""Error codes: the code decides, and the hint names the remedy."""

from __future__ import annotations

import pytest

from slotbridge.bitrix24.codes import MEANINGS, error_for
from slotbridge.errors import AccessRefused, ApiError, BadAnswer, LimitReached, NotFound, OutcomeUnknown, Rejected


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
    ("code", "remedy"),
    [
        ("insufficient_scope", "Online booking (booking)"),
        ("INVALID_CREDENTIALS", "bitrix24.webhook_url"),
        ("NO_AUTH_FOUND", "anew"),
        ("ERROR_METHOD_NOT_FOUND", "too old"),
        ("1009", "slotbridge discover"),
        ("OVERLOAD_LIMIT", "support"),
        ("INVALID_REQUEST", "https://"),
        ("ACCESS_DENIED", "commercial plan"),
        ("0", "switched off"),
        ("422", "1440"),
    ],
)
def test_the_hint_names_the_remedy(code: str, remedy: str) -> None:
    assert remedy in (error_for(code, "", item="a", write=False).hint or "")


def test_the_message_has_the_code_and_what_the_server_said() -> None:
    error = error_for("1009", "Ressource nicht gefunden", item="resource 15", write=False, status=400)
    assert str(error).startswith(
        "Bitrix24, resource 15: this resource does not exist (1009: Ressource nicht gefunden). "
    )
    assert (error.code, error.status) == ("1009", 400)


def test_every_meaning_can_be_read_as_a_sentence() -> None:
    for code, meaning in MEANINGS.items():
        assert code == code.upper()
        assert not meaning.what.endswith(".")
        assert not meaning.hint.endswith(".")
        assert meaning.what
        assert meaning.hint
