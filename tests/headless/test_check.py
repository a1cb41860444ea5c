"""`check`: the pre-flight of an experiment file, and what loads of a plugin folder."""

from typing import Any


def lines(text: str, mark: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(mark)]


def test_a_file_is_checked_and_nothing_is_made(lab: Any) -> None:
    before = sorted(lab.folder.iterdir())
    done = lab.run("check", lab.file)

    assert (done.returncode, done.stderr) == (0, "")
    assert lines(done.stdout, "PROBLEM") == []
    assert "ok       Plugins: quick.py matches the interface; option types fit" in done.stdout
    (warning,) = lines(done.stdout, "WARNING")
    assert "Test: No test was passed with quick.py as now." in warning
    assert sorted(lab.folder.iterdir()) == before


def test_check_and_run_refuse_the_same(lab: Any) -> None:
    text = lab.file.read_text("utf-8")
    text = text.replace("[runner.options]", "[runner.options]\nspeed = 3")
    lab.file.write_text(text.replace("max_trials = 6", "max_trials = 6\nparallelism = 9"), "utf-8")
    checked, run = lab.run("check", lab.file), lab.run("run", lab.file)

    assert (checked.returncode, run.returncode) == (3, 3)
    (problem,) = lines(checked.stdout, "PROBLEM")
    assert problem == "PROBLEM  Plugins: QuickRunner has no option speed."
    assert "quick cannot run yet.\n  Plugins: QuickRunner has no option speed." in run.stderr
    assert lab.run("status").stdout.strip() == "There are no experiments yet."
    assert not (lab.folder / "deployed").exists()


def test_a_plugin_folder_and_a_single_file_are_checked(lab: Any) -> None:
    folder = lab.folder / "plugins"
    (folder / "broken.py").write_text("import nowhere_to_be_found", "utf-8")
    whole, one = lab.run("check", folder), lab.run("check", folder / "quick.py")

    assert (whole.returncode, one.returncode) == (3, 0)
    (problem,) = lines(whole.stdout, "PROBLEM")
    assert "broken.py: " in problem
    assert "nowhere_to_be_found" in problem
    assert "ok       quick.py: QuickRunner (runner), QuickMetric (metric)" in one.stdout
    assert lab.run("check", folder / "none.py").returncode == 3
