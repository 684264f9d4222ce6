"""A run that is told to stop: what was begun is finished, verified and remembered; the rest is for another day."""

from __future__ import annotations

from pathlib import Path

import pytest

from slotbridge.sandbox.traffic import Fault
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


def test_who_waits_for_a_creation_that_may_still_land_is_put_off(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.ranges(("Mon", 540, 720, 60))
    rig.world.faults.append(Fault("PATCH", "late", after=12))
    assert rig.sync(quiet_after=False).status == "failed"
    begun, writes = rig.clock.time, rig.writes()

    report = rig.run(stop=lambda: rig.clock.time > begun + 3)

    assert report.pairs == ()
    assert 3 < rig.clock.time - begun < 6
    assert rig.writes() == writes
    rig.sync()
    assert rig.in_reservekit() == [(0, 540, 720, 3)]
