"""`axdesk --headless import`: trials that were run elsewhere."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def quick(lab: Any) -> Any:
    """An experiment with one trial; its parameters and metric, by name."""
    lab.run("run", lab.file, "--max-trials", 1)
    exported = json.loads(lab.run("export", "quick", "--format", "json").stdout)
    lab.parameters = [p["name"] for p in exported["parameters"]]
    (lab.metric,) = [m["name"] for m in exported["metrics"]]
    lab.point = exported["trials"][0]["parameters"]
    return lab


def table(lab: Any, rows: int = 3, bad: tuple[int, ...] = ()) -> Path:
    """Write a file with a decimal comma, whose first parameter is called by another name."""
    heads = ["P1", *lab.parameters[1:], lab.metric]
    lines = [";".join(heads)]
    for number in range(rows):
        values = [str(v).replace(".", ",") for v in lab.point.values()]
        lines.append(";".join([*values, "n/a" if number in bad else f"{number},5"]))
    file: Path = lab.folder / "earlier.csv"
    file.write_text("\n".join(lines), "utf-16")
    return file


def trials_of(lab: Any) -> list[Any]:
    exported = json.loads(lab.run("export", "quick", "--format", "json").stdout)
    return list(exported["trials"])


def test_a_dry_run_tells_and_changes_nothing(quick: Any) -> None:
    file = table(quick, bad=(1,))

    unmapped = quick.run("import", "quick", file)
    dry = quick.run("import", "quick", file, "--dry-run", "--map", f"P1={quick.parameters[0]}")

    assert unmapped.returncode == 3
    assert f"No column tells {quick.parameters[0]}." in unmapped.stderr
    assert "--map" in unmapped.stderr
    assert dry.returncode == 0
    assert dry.stdout.splitlines() == [
        f"2 rows ok, 1 skipped: row 3: {quick.metric} 'n/a' is no number.",
        "Nothing was imported: it was a dry run.",
    ]
    assert len(trials_of(quick)) == 1


def test_rows_are_imported_once(quick: Any) -> None:
    file, mapped = table(quick, bad=(1,)), f"P1={quick.parameters[0]}"

    strict = quick.run("import", "quick", file, "--map", mapped, "--strict")
    done = quick.run("import", "quick", file, "--map", mapped)
    again = quick.run("import", "quick", file, "--map", mapped)
    kept = quick.run("import", "quick", file, "--map", mapped, "--duplicates", "--jsonl")

    assert strict.returncode == 3
    assert "Nothing was imported." in strict.stderr
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "Imported into quick as trials 1 to 2."
    assert "it is in the experiment already, as trial 1" in again.stdout + again.stderr
    lines = [json.loads(line) for line in kept.stdout.splitlines()]
    assert [line["state"] for line in lines[:-1]] == ["ok", "skipped", "ok"]
    assert [line["trial"] for line in lines[:-1]] == [3, None, 4]
    assert lines[-1] == {"rows": 3, "ok": 2, "skipped": 1, "imported": 2, "problems": []}
    trials = trials_of(quick)
    assert [t["metrics"][quick.metric]["mean"] for t in trials[1:]] == [0.5, 2.5, 0.5, 2.5]
    assert {t["source"] for t in trials[1:]} == {"imported"}


def test_what_an_export_writes_is_read_from_standard_input(quick: Any) -> None:
    exported = quick.run("export", "quick")
    command = [sys.executable, "-m", "axdesk", "--headless", "--database", str(quick.database)]

    done = subprocess.run(
        [*command, "import", "quick", "-", "--duplicates"],
        input=exported.stdout, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 row ok.\nImported into quick as trial 1.\n"
    first, second = trials_of(quick)
    for name in ("parameters", "metrics", "status", "started", "finished", "duration", "note"):
        assert second[name] == first[name]


def test_what_is_wrong_is_a_sentence_with_a_code(quick: Any) -> None:
    table(quick)
    for arguments, code, told in (
        (("nothing", "earlier.csv"), 2, "There is no experiment 'nothing'"),
        (("quick", "none.csv"), 3, "none.csv cannot be read"),
        (("quick", "earlier.csv", "--map", "Q=note"), 3, "no column 'Q'"),
        (("quick", "earlier.csv", "--map", "P1=odd"), 3, "'odd' is nothing that a column can tell"),
        (("quick", "earlier.csv", "--map", "P1"), 2, "write such as T1=Temperature"),
        (("quick", "earlier.csv", "--encoding", "klingon"), 3, "no encoding 'klingon'"),
    ):
        name, file, *rest = arguments

        done = quick.run("import", name, quick.folder / file, *rest)

        assert (done.returncode, done.stdout) == (code, "")
        assert told in done.stderr
        assert "Traceback" not in done.stderr
