"""What a frozen axdesk starts itself as, shown with the same programs from a checkout."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from axdesk.plugins import host_process
from axdesk.plugins.hosts import describe_folder
from axdesk.plugins.loader import load_plugins
from axdesk.runners import command_wrapper
from axdesk.runners.command import CommandRunner
from tests.runners.programs import wait_until

FROZEN = f"""#!/bin/sh
exec "{sys.executable}" -m axdesk "$@"
"""


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let axdesk take a script that starts it from the checkout for its own frozen program."""
    program = tmp_path / "axdesk"
    program.write_text(FROZEN, "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    return program


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")


def test_a_frozen_axdesk_hosts_plugins_itself(tmp_path: Path, frozen: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    source = Path(__file__).resolve().parents[1] / "resources" / "plugins" / "hartmann6.py"
    (folder / "lab.py").write_text(source.read_text("utf-8"), "utf-8")
    assert host_process.host_command("") == [str(frozen), "--plugin-host"]

    assert describe_folder(folder, "") == load_plugins(folder).catalogue


def test_a_frozen_axdesk_wraps_command_lines_itself(
    tmp_path: Path, frozen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    popen = subprocess.Popen

    def watched(words: list[str], **options: Any) -> Any:
        asked.append(words)
        return popen(words, **options)

    lab = tmp_path / "lab"
    line = f'"{Path(sys.base_prefix, "bin", "python3")}" -c "print(0)"'
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", watched)
        runner = CommandRunner(line + " {parameters} {result}", lab)
        metadata = runner.run_trial(3, {"x": 0.5})
    ending = Path(metadata["folder"], command_wrapper.EXIT)
    wait_until(ending.exists, "the end of the command")

    assert asked[0] == [str(frozen), "--command-wrapper", metadata["folder"]]
    assert json.loads(ending.read_text("utf-8")) == {"code": 0}
