"""A run that is told to stop: what was begun is finished, verified and remembered; the rest is for another day."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Twelve pairs in step, then an edit in each of them."""
    rig = Rig(tmp_path, pairs=12)
    for name in rig.ids:
        rig.ranges(("Mon Tue", 540, 720, 60), pair=name)
    rig.run()
    for name in rig.ids:
        rig.ranges(("Mon Tue", 540, 780, 60), pair=name)
    return rig


def test_what_was_begun_is_finished_and_the_rest_is_put_off(rig: Rig) -> None:
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True

    rig.before_request("PATCH", stop)
    report = rig.run(stop=lambda: stopped)

    assert 1 <= len(report.pairs) < 12
    assert {pair.status for pair in report.pairs} == {"changed"}
    for name in rig.ids:
        done = name in {pair.name for pair in report.pairs}
        assert rig.in_reservekit(name)[0] == (0, 540, 780 if done else 720, 4 if done else 3)
        assert rig.base(name)[0].startswith("Mon 09:00–13:00" if done else "Mon 09:00–12:00")


def test_what_was_put_off_is_done_by_the_next_run(rig: Rig) -> None:
    assert rig.run(stop=lambda: True).pairs == ()
    report = rig.run()
    assert [pair.status for pair in report.pairs] == ["changed"] * 12
    rig.is_quiet(report)
