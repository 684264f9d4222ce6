"""No secret survives redaction, and ordinary text does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbridge.http.redact import excerpt, redact

SECRET = "s3cr3tC0de"

SPELLINGS = [
    f"https://example.bitrix24.com/rest/1/{SECRET}/booking.v1.resource.get",
    f"https://example.bitrix24.com/rest/1/{SECRET}",
    f'{{"url":"https:\\/\\/example.bitrix24.com\\/rest\\/1\\/{SECRET}\\/"}}',
    f"next=https%3A%2F%2Fexample.bitrix24.com%2Frest%2F1%2F{SECRET}%2Fbatch",
    f"Authorization: Bearer {SECRET}",
    f"authorization: bearer {SECRET}, more",
    f"Authorization: {SECRET}",
    f"Authorization: Basic {SECRET}aGVsbG8=",
    f"'Proxy-Authorization': 'Basic {SECRET}'",
    f'{{"authorization": "Token {SECRET}"}}',
    f"a basic {SECRET}==",
    f"X-API-Key: {SECRET}",
    f"x-api-key={SECRET}",
    f"Set-Cookie: session={SECRET}; path=/, other={SECRET}",
    f"https://user:{SECRET}@example.com/x",
    f"?auth={SECRET}&x=1",
    f"access_token={SECRET}",
    f"refresh_token={SECRET}",
    f"client_secret={SECRET}&a=b",
    f"client_secret%3D{SECRET}",
    f'{{"access_token": "{SECRET}"}}',
    f'{{\\"refresh_token\\":\\"{SECRET}\\"}}',
    f"{{'auth': '{SECRET}'}}",
    f"{{b'auth': b'{SECRET}'}}",
    f"Pair(access_token='{SECRET}', refresh_token=\"{SECRET}\")",
    f"access_token=b'{SECRET}'",
    f"auth[access_token]={SECRET}&auth[domain]=x",
    f"auth%5Bapplication_token%5D={SECRET}",
    f"AUTH_ID={SECRET}&AUTH_EXPIRES=3600&REFRESH_ID={SECRET}",
    f"https://oauth.bitrix.info/oauth/token/?grant_type=authorization_code&code={SECRET}#x",
    f"https://example.com/?code={SECRET}&domain=example.bitrix24.com",
    f"key sk_rsv_{SECRET} refused",
    f"tk_rsv_{SECRET}",
    f"pk_rsv_{SECRET}",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_secret_is_masked_in_every_spelling(text: str) -> None:
    assert SECRET not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize("text", SPELLINGS)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Resource not found",
        "at rest / 1 / 2",
        "the author=",
        "GET /rest/booking.v1.resource.get",
        "auth failed",
        "error code=5",
        "a basic explanation of 2026",
        "Authorization: refused",
        "the authorization is missing",
        "http://127.0.0.1:8080 is not dr@example.com",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_what_stands_around_a_secret_is_kept() -> None:
    text = f"POST https://example.bitrix24.com/rest/1/{SECRET}/batch failed"
    assert redact(text) == "POST https://example.bitrix24.com/rest/1/***/batch failed"


def test_an_excerpt_is_redacted_before_it_is_cut() -> None:
    text = "x" * 60 + f" /rest/1/{SECRET}/"
    for limit in range(60, 80):
        assert "s3c" not in excerpt(text, limit)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_an_excerpt_is_one_short_printable_line(text: str) -> None:
    line = excerpt(text)
    assert len(line) <= 80
    assert line.isprintable()
