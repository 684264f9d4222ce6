from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from slotbridge.cli.sandbox import config_for, welcome, without_hours
from slotbridge.sandbox.sample import sample_world
from slotbridge.settings import load_settings

URL = "http://127.0.0.1:8788"


def test_the_configuration_to_paste_is_complete(tmp_path: Path) -> None:
    text = "\n".join(line.plain for line in welcome(URL, sample_world()))
    pasted = text[text.index("[bitrix24]") : text.index("To be the user")]
    file = tmp_path / "sandbox.toml"
    file.write_text(pasted, encoding="utf-8")
    settings = load_settings(file, {"SLOTBRIDGE_SECRETS_DIR": str(tmp_path / "none")})
    assert [(pair.resource_id, pair.service_id) for pair in settings.pairs] == [
        (15, 123),
        (16, 124),
        (17, 125),
        (18, 126),
    ]
    assert pasted.strip() == config_for(URL, sample_world(), "sqlite:///sandbox.db").strip()


def test_an_empty_business_has_its_resources_and_services() -> None:
    world = sample_world()
    without_hours(world)
    assert not any(world.portal.slots(key) for key in world.portal.resources)
    assert world.reservations.time_slots == {}
    assert len(world.portal.resources) == len(world.reservations.services) == 4


def test_an_address_for_all_is_refused() -> None:
    command = [sys.executable, "-c", "import sys; from slotbridge.cli import main; sys.exit(main())"]
    done = subprocess.run([*command, "sandbox", "--host", "192.0.2.1"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: The sandbox does not listen on 192.0.2.1")


@pytest.mark.parametrize(("told", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_serves_until_it_is_interrupted(told: signal.Signals, code: int) -> None:
    command = [sys.executable, "-c", "import sys; from slotbridge.cli import main; sys.exit(main())"]
    with subprocess.Popen(
        [*command, "sandbox", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Both APIs are served at http://127.0.0.1:")
        process.send_signal(told)
        _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (code, "Interrupted. Run the same command again to go on.\n")
