"""axdesk survives the six faults."""

from pathlib import Path

from tests.faults.peers.judgement import FAULTS
from tests.faults.peers.six_rows import run_axdesk


def test_axdesk_survives_all_six_faults(tmp_path: Path) -> None:
    rows = run_axdesk(tmp_path)

    assert len(rows) == len(FAULTS) == 6
    assert [row for row in rows if not row.survived] == []
