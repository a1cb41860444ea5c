"""What was typed outlives the program."""

import subprocess
import sys
from pathlib import Path

from axdesk.api.workspace import Workspace

LETTERS = 150


def test_typing_without_a_pause_is_stored_while_it_goes_on(tmp_path: Path) -> None:
    database = tmp_path / "lab.db"
    script = Path(__file__).with_name("typing_process.py")
    with subprocess.Popen(
        [sys.executable, str(script), str(database)], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if int(line) >= LETTERS:
                break
        program.kill()
    workspace = Workspace(database)
    (summary,) = workspace.summaries()
    draft = workspace.load_draft(summary.id)
    workspace.close()
    stored = draft.general.get("name", "")
    # A letter comes every 20 ms: fifty of them are the last second.
    assert len(stored) >= LETTERS - 50
