from pathlib import Path
from tests.sync.rig import Rig

def test_first(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.ranges(("Mon Tue Wed", 540, 1080, 30))
    report = rig.sync()
    print(report)
    assert rig.in_reservekit() == [(d, 540, 1080, 18) for d in range(3)]
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1020)
    print(rig.sync())
    print(rig.in_bitrix24())
    for l in rig.world.log: print(l)
