"""No secret that a server sends back gets into what a command says, and nothing else is taken for one."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.text import Text

from slotbridge.cli import main
from slotbridge.cli.masking import masked_document, masked_line
from slotbridge.errors import Side
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.world import CLIENT_ID, RESERVEKIT_KEY
from slotbridge.secrecy import Secrets
from slotbridge.store.tokens import Tokens
from tests.store.samples import StillClock

from .conftest import Shell
from .test_auth import application, auth, grant

__all__ = ["application"]  # a fixture

TOKEN = 'appl1cation"tok3n\\x'
SAID = [
    *(["sync", "--dry-run"], ["sync"], ["verify"], ["show", "Dental check-up"], ["discover"], ["history"], ["status"]),
    *(["holds"], ["doctor"]),
]


@pytest.fixture
def echoing(shell: Shell) -> Shell:
    """A business whose servers send secrets back wherever a text of theirs is shown."""
    shell.config.write_text(shell.config.read_text(encoding="utf-8") + '[sync]\nnames = "reservekit"\n')
    services, resources = shell.world.reservations.services, shell.world.portal.resources
    for number, name in ((123, f"a {RESERVEKIT_KEY}"), (124, f"b {TOKEN}")):
        services[number] = replace(services[number], name=name)
    resources[15] = replace(resources[15], name=f"c {TOKEN} of {RESERVEKIT_KEY.upper()}")
    return shell


@pytest.mark.parametrize("json_wanted", [False, True])
def test_what_a_server_sends_back_is_masked_in_what_every_command_says(echoing: Shell, json_wanted: bool) -> None:
    masked = 0
    for command in SAID:
        done = echoing.call(
            *command, *(["--json"] if json_wanted else []), SLOTBRIDGE_BITRIX24__APPLICATION_TOKEN=TOKEN
        )
        said = json.dumps(done.document, ensure_ascii=False) if json_wanted else done.out
        for secret in (RESERVEKIT_KEY, TOKEN, json.dumps(TOKEN)[1:-1]):
            assert secret.casefold() not in (said + done.out + done.err).casefold(), command
        masked += "***" in said
    assert masked >= 4


@pytest.mark.parametrize("api", ["bitrix24", "reservekit"])
@pytest.mark.parametrize("json_wanted", [False, True])
def test_an_error_message_that_quotes_the_other_side_s_secret_is_masked(
    shell: Shell, api: Side, json_wanted: bool
) -> None:
    body = json.dumps({"error": TOKEN, "error_description": TOKEN, "message": TOKEN})
    shell.world.faults.append(Fault("", "answer", times=99, api=api, status=403, body=body))
    for command in (["sync"], ["doctor"], ["discover"], ["status"]):
        argv = [*command, *(["--json"] if json_wanted else [])]
        done = shell.call(*argv, SLOTBRIDGE_BITRIX24__APPLICATION_TOKEN=TOKEN)
        said = done.out + done.err + (json.dumps(done.document) if json_wanted else "")
        assert "***" in said, command
        assert TOKEN[:10] not in said, command


def test_a_document_keeps_its_form_and_what_is_no_secret() -> None:
    document = {
        "version": 1,
        "pairs": [{"name": f"a {TOKEN}", "n": 123456, "ok": True, "none": None}, ("b", [f"{TOKEN}{TOKEN}"])],
    }
    told = masked_document(document, [TOKEN, "123456"])
    assert told == {
        "version": 1,
        "pairs": [{"name": "a ***", "n": 123456, "ok": True, "none": None}, ["b", ["******"]]],
    }
    assert json.dumps(masked_document(document, [])) == json.dumps(document)


def test_a_line_without_a_secret_keeps_its_colours_and_its_characters() -> None:
    line = Text.assemble(("👩\u200d⚕️ Zähne", "bold"), ", Cookie: ring bearer")
    assert masked_line(line, [TOKEN]) is line


def test_a_line_with_a_secret_keeps_its_own_style() -> None:
    told = masked_line(Text.assemble("a ", (TOKEN[:4], "bold"), f"\u200b{TOKEN[4:]} b", style="red"), [TOKEN])
    assert (told.plain, told.style) == ("a *** b", "red")


@pytest.mark.parametrize("word", ["sandbox", "Bitrix24", "reservekit", "slotbridge", "Öffnungszei"])
def test_a_secret_that_is_a_short_word_is_left_to_where_servers_are_read(word: str) -> None:
    assert Secrets([word]).unmistakable == []


@pytest.mark.parametrize("secret", ["abc123", "s3cr3tC0de", "your-code", "abcdefghijkl", "sk_rsv_sandbox"])
def test_every_other_secret_is_masked(secret: str) -> None:
    assert Secrets([secret]).unmistakable == [secret]


def test_what_is_recommended_in_the_sandbox_can_be_pasted(shell: Shell) -> None:
    config = shell.config.rename(shell.folder / "sandbox.toml")
    shell.world.portal.put_slots(16, [])
    out = io.StringIO()
    environ = {"SLOTBRIDGE_SECRETS_DIR": str(shell.folder / "none")}
    assert main(["--config", str(config), "status"], stdout=out, stderr=io.StringIO(), environ=environ) == 0
    assert f"slotbridge --config {config} sync" in out.getvalue()
    assert "***" not in out.getvalue()


def test_the_demo_masks_nothing() -> None:
    out = io.StringIO()
    assert main(["demo"], stdout=out, stderr=io.StringIO(), environ={}) == 0
    assert "***" not in out.getvalue()


def test_an_application_is_shown_where_access_is_granted_and_its_tokens_never(application: Shell) -> None:
    assert f"client_id={CLIENT_ID}" in auth(application).out
    assert auth(application, as_json=True).document["address"].endswith(f"client_id={CLIENT_ID}")
    assert auth(application, "?no=code").err.count(f"client_id={CLIENT_ID}") == 1
    assert auth(application, grant(application)).code == 0
    pair = Tokens(f"sqlite:///{application.database}", StillClock()).load(CLIENT_ID)
    assert pair is not None

    services = application.world.reservations.services
    services[123] = replace(services[123], name=f"a {pair.access_token}")
    for command in (["sync"], ["history"], ["history", "--json"], ["discover"]):
        done = application.call(*command, SLOTBRIDGE_SYNC__NAMES="reservekit")
        assert "***" in done.out
        assert pair.access_token not in done.out
