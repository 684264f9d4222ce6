from __future__ import annotations

import io
import tempfile
from pathlib import Path

import pytest

from slotbridge.cli import main
from slotbridge.cli.invocation import Invocation
from slotbridge.cli.stage import Stage, Unexpected
from slotbridge.sandbox.sample import sample_world


def test_the_demo_plays_to_its_end_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    out, err = io.StringIO(), io.StringIO()
    # The user's own configuration is of no concern to it.
    environ = {"SLOTBRIDGE_SYNC__CONFLICT": "bitrix24", "SLOTBRIDGE_NONSENSE": "1"}
    assert main(["demo"], stdout=out, stderr=err, environ=environ) == 0
    assert out.getvalue().endswith("\nin step\n")
    assert err.getvalue() == ""
    assert list(tmp_path.iterdir()) == []


def stage(tmp_path: Path) -> Stage:
    return Stage(Invocation(io.StringIO(), io.StringIO(), {}), sample_world(), tmp_path / "none.toml")


def test_a_step_that_ends_otherwise_ends_the_demo(tmp_path: Path) -> None:
    with pytest.raises(Unexpected, match="ended with exit code 2, not 0") as caught:
        stage(tmp_path).call("status")
    assert caught.value.exit_code == 1


def test_a_check_that_fails_ends_the_demo(tmp_path: Path) -> None:
    with pytest.raises(Unexpected, match="both sides have the same hours"):
        stage(tmp_path).check(False, "both sides have the same hours")
