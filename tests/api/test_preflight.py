"""The pre-flight: each check with what passes it and what does not."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from axdesk.api.network_drives import kind_of_mount, network_drive
from axdesk.api.workspace import Workspace
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.dry_test import PassedTest, plugins_of
from axdesk.core.preflight import CheckLine, Verdict, estimated_seconds
from axdesk.core.run import OrchestrationConfig, RunSettings
from axdesk.core.setup import ExperimentSetup
from tests.api.laboratory import QUICK_PLUGIN, quick_folder, quick_setup

P, O, C = Section.PARAMETERS, Section.OBJECTIVES, Section.CONSTRAINTS  # noqa: E741  # as sections
PASSED, WARNING, PROBLEM = Verdict


class Lab(NamedTuple):
    workspace: Workspace
    setup: ExperimentSetup
    draft: Draft

    def lines(self, draft: Draft | None = None, number: int | None = None) -> list[CheckLine]:
        return list(self.workspace.preflight(draft or self.draft, number).lines)

    def line(self, title: str, draft: Draft | None = None, number: int | None = None) -> CheckLine:
        (found,) = [line for line in self.lines(draft, number) if line.title == title]
        return found


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    folder = quick_folder(tmp_path)
    with closing(Workspace(tmp_path / "lab.sqlite")) as workspace:
        setup = quick_setup(workspace.demo_setup(), folder)
        yield Lab(workspace, setup, draft_of(setup))


def test_a_good_set_up_passes_all_checks_but_the_test(lab: Lab) -> None:
    found = lab.workspace.preflight(lab.draft)
    assert [(line.title, line.verdict) for line in found.lines] == [
        ("Name", PASSED),
        ("Parameters", PASSED),
        ("Objectives & limits", PASSED),
        ("Search space", PASSED),
        ("Plugins", PASSED),
        ("Run settings", PASSED),
        ("Test", WARNING),
        ("Storage", PASSED),
        ("Control", PASSED),
        ("Sleep", PASSED),
        ("Duration", PASSED),
    ]
    assert found.may_start
    assert found.setup == lab.setup
    assert found.run_seconds is None
    (warning,) = found.of(WARNING)
    assert warning.message.startswith("No test was passed with quick.py as now.")
    assert warning.place is not None
    assert (warning.place.section, warning.place.field) == (Section.RUNNER, "reference")


def test_a_passed_test_counts_until_the_file_changes(lab: Lab) -> None:
    number = lab.workspace.new_draft(lab.draft)
    catalogue = lab.workspace.catalogue(lab.setup.plugin_folder)
    hashes = tuple((file.name, file.sha256) for file in catalogue.files)
    at = datetime(2026, 11, 21, 16, 40, tzinfo=UTC)
    lab.workspace.save_passed_test(number, PassedTest(at, plugins_of(lab.setup), hashes))
    line = lab.line("Test", number=number)
    assert line.verdict is PASSED
    assert "21 Nov" in line.message
    file = Path(lab.setup.plugin_folder) / "quick.py"
    file.write_text(QUICK_PLUGIN + "# changed\n", "utf-8")
    assert lab.line("Test", number=number).verdict is WARNING


Change = Callable[[Draft], Draft]


def cell(section: Section, row: int, field: str, text: str) -> Change:
    return lambda draft: draft.with_cell(section, row, field, text)


def constraints(*texts: str) -> Change:
    return lambda draft: draft.with_rows(C, [{"expression": text} for text in texts])


@pytest.mark.parametrize(
    ("change", "title", "place", "message"),
    [
        (
            cell(Section.GENERAL, 0, "name", ""), "Name", (Section.GENERAL, 0, "name"),
            "needs a name",
        ),
        (
            cell(Section.GENERAL, 0, "plugin_folder", "/nowhere"), "Plugin folder",
            (Section.GENERAL, 0, "plugin_folder"), "/nowhere does not exist",
        ),
        (cell(P, 1, "name", "x1"), "Parameters", (P, 1, "name"), "Another parameter is called x1"),
        (cell(P, 0, "low", "2"), "Parameters", (P, 0, "low"), "x1: "),
        (cell(P, 0, "scale", "log"), "Parameters", (P, 0, "low"), "logarithmic"),
        (
            constraints("x3 <= 1", "x1 + x2 <= 0.5", "x1 + x2 >= 1"), "Search space",
            (C, 1, "expression"), "“x1 + x2 <= 0.5”, “x1 + x2 >= 1” cannot be kept together",
        ),
        (cell(O, 0, "metric", ""), "Objectives & limits", (O, 0, "metric"), "what fetches"),
        (cell(O, 0, "metric", "quick.py:Quick"), "Objectives & limits", (O, 0, "metric"),
         "Quick is a runner"),
        (cell(Section.RUNNER, 0, "reference", "quick.py:Gone"), "Plugins",
         (Section.RUNNER, 0, "reference"), "'quick.py:Gone' is not in"),
        (cell(Section.RUNNER, 0, "option.speed", "3"), "Plugins",
         (Section.RUNNER, 0, "option.speed"), "Quick has no option speed."),
        (cell(Section.RUN, 0, "max_trials", "none"), "Run settings",
         (Section.RUN, 0, "max_trials"), "is no number"),
        (
            lambda draft: constraints("hartmann6 <= 0.9*baseline")(draft).with_cell(
                Section.RUN, 0, "start_at_center", "no"
            ),
            "Run settings", (Section.RUN, 0, "start_at_center"), "there is no baseline trial",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(
    change: Change, title: str, place: tuple[Section, int, str], message: str, lab: Lab
) -> None:
    found = lab.workspace.preflight(change(lab.draft))
    assert not found.may_start
    assert found.setup is None
    (problem,) = found.of(PROBLEM)
    assert problem.title == title
    assert message in problem.message
    assert problem.place is not None
    assert (problem.place.section, problem.place.row, problem.place.field) == place
    for text, cells in problem.place.remedies:
        assert text
        mended = change(lab.draft)
        for field, value in cells.items():
            mended = mended.with_cell(problem.place.section, problem.place.row or 0, field, value)
        assert lab.workspace.preflight(mended).may_start


def test_a_baseline_without_a_result_is_told_where_trials_were_made(lab: Lab) -> None:
    number = lab.workspace.create_from_setup(lab.setup)
    with closing(lab.workspace.open(number)) as client:
        index = client.attach_trial({f"x{i}": 0.5 for i in range(1, 7)})
        client.complete_trial(index, {"hartmann6": 1.0})
        limited = constraints("hartmann6 <= 0.9*baseline")(lab.draft)
        (problem,) = lab.workspace.preflight(limited, number).of(PROBLEM)
        assert "there is no baseline trial. Add one by Manual trial" in problem.message
        baseline = client.attach_baseline({f"x{i}": 0.5 for i in range(1, 7)})
        (problem,) = lab.workspace.preflight(limited, number).of(PROBLEM)
        assert f"#{baseline} has no result. Enter its result" in problem.message
        client.complete_trial(baseline, {"hartmann6": 1.0})
    assert lab.workspace.preflight(limited, number).may_start


def test_every_problem_is_told_at_once(lab: Lab) -> None:
    lab.workspace.create_from_setup(lab.setup)
    draft = constraints("x1 + x2 <= 0.5", "x1 + x2 >= 1")(lab.draft)
    draft = draft.with_cell(Section.RUN, 0, "parallelism", "0").with_cell(O, 0, "metric", "")
    titles = [line.title for line in lab.workspace.preflight(draft).of(PROBLEM)]
    assert titles == ["Name", "Objectives & limits", "Search space", "Run settings"]


def test_a_plugin_file_that_does_not_load_is_told(lab: Lab) -> None:
    (Path(lab.setup.plugin_folder) / "quick.py").write_text("import nowhere_to_be_found", "utf-8")
    problems = lab.workspace.preflight(lab.draft).of(PROBLEM)
    assert [line.title for line in problems] == ["Objectives & limits", "Plugins"]
    assert all("nowhere_to_be_found" in line.message for line in problems)


PICKY = """
import pathlib
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus

MADE = pathlib.Path(__file__).with_name("made.txt")


class Picky(IRunner):
    def __init__(self, seconds: float = 1.0, port: str = "COM1"):
        with MADE.open("a") as file:
            file.write("x")
        if seconds < 0:
            raise ValueError(f"seconds is {seconds}; at least 0 is needed")
        if port == "COM9":
            raise OSError("COM9 is busy")

    def run_trial(self, trial_index, parameterization):
        return {}

    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED


class Value(IMetric):
    def __init__(self, name: str, channel: int = 1):
        super().__init__(name)
        if channel > 8:
            raise TypeError("there are 8 channels")

    def fetch(self, trial_index, trial_metadata):
        return 0, 1.0
"""


def test_a_constructor_that_refuses_its_options_keeps_the_run_from_starting(lab: Lab) -> None:
    folder = Path(lab.setup.plugin_folder)
    (folder / "picky.py").write_text(PICKY, "utf-8")
    draft = cell(Section.RUNNER, 0, "reference", "picky.py:Picky")(lab.draft)
    draft = cell(O, 0, "metric", "picky.py:Value")(draft)
    assert lab.workspace.preflight(draft).may_start
    made = (folder / "made.txt").read_text()
    assert lab.workspace.preflight(draft).may_start
    assert (folder / "made.txt").read_text() == made  # once is enough

    wrong = cell(Section.RUNNER, 0, "option.seconds", "-3")(draft)
    for _ in range(2):
        line = lab.line("Plugins", wrong)
        assert line.verdict is PROBLEM
        assert "seconds is -3.0; at least 0 is needed" in line.message
        assert line.place is not None
        assert (line.place.section, line.place.field) == (Section.RUNNER, "reference")

    line = lab.line("Plugins", cell(O, 0, "option.channel", "9")(draft))
    assert (line.verdict, "there are 8 channels" in line.message) == (PROBLEM, True)
    assert line.place is not None
    assert (line.place.section, line.place.row, line.place.field) == (O, 0, "metric")

    # What may pass by itself is a warning, and is asked again each time.
    busy = cell(Section.RUNNER, 0, "option.port", "COM9")(draft)
    line = lab.line("Plugins", busy)
    assert (line.verdict, "COM9 is busy" in line.message) == (WARNING, True)
    before = len((folder / "made.txt").read_text())
    lab.line("Plugins", busy)
    assert len((folder / "made.txt").read_text()) == before + 1


def test_no_plugin_is_made_beside_a_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(lab.setup.plugin_folder)
    (folder / "picky.py").write_text(PICKY, "utf-8")
    number = lab.workspace.create_from_setup(lab.setup)
    (summary,) = lab.workspace.summaries()
    driven = replace(summary, controller=f"{os.getpid()}@here")
    monkeypatch.setattr(lab.workspace, "summaries", lambda: (driven,))
    draft = cell(Section.RUNNER, 0, "reference", "picky.py:Picky")(lab.draft)
    assert lab.line("Plugins", draft, number).verdict is PASSED
    assert not (folder / "made.txt").exists()


def test_start_values_that_break_a_constraint_are_a_warning(lab: Lab) -> None:
    draft = constraints("x1 + x2 <= 1")(lab.draft)
    for row, value in enumerate(("0.9", "0.2")):
        draft = draft.with_cell(P, row, "start", value)

    line = lab.line("Start values", draft)

    assert line.verdict is WARNING
    assert "break x1 + x2 <= 1" in line.message
    assert line.place is not None
    assert (line.place.section, line.place.row) == (C, 0)
    kept = draft.with_cell(P, 0, "start", "0.8")
    assert not [one for one in lab.lines(kept) if one.title == "Start values"]


def test_more_at_a_time_than_in_all_is_a_warning(lab: Lab) -> None:
    lines = lab.lines(cell(Section.RUN, 0, "parallelism", "3")(lab.draft))
    (warning,) = [line for line in lines if line.title == "Run settings" and line.place]
    assert (warning.verdict, warning.message) == (WARNING, "3 at a time, but only 2 in all.")


def test_the_duration_comes_from_earlier_trials_of_the_runner(lab: Lab) -> None:
    number = lab.workspace.create_from_setup(replace(lab.setup, name="earlier"))
    with closing(lab.workspace.open(number)) as client:
        run = lab.setup.run
        client.run_trials(2, 1, 0.5, run.initial_seconds_between_polls, config=run.orchestration)
        trials = client.experiment.trials.values()
        middle = sum(trial.elapsed_seconds for trial in trials) / 2
    found = lab.workspace.preflight(lab.draft)
    assert found.trial_seconds == pytest.approx(middle)
    assert found.run_seconds == pytest.approx(2 * middle)
    assert lab.line("Duration").message.startswith("about 0")


@pytest.mark.parametrize(
    ("run", "trial", "seconds"),
    [
        (RunSettings(30, 3), 600, 6000),
        (RunSettings(31, 3), 600, 6600),
        (RunSettings(1, 9), 600, 600),
        (RunSettings(100, 100), 5, 104),
        (RunSettings(30, 1, orchestration=OrchestrationConfig(run_time_limit=3600)), 600, 3600),
    ],
)
def test_the_estimate_counts_slots_launches_and_the_limit(
    run: RunSettings, trial: float, seconds: float
) -> None:
    assert estimated_seconds(run, trial) == seconds


def test_a_full_disk_and_a_drive_of_the_network_are_told(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(
        "axdesk.api.preflight.shutil.disk_usage", lambda _: usage._replace(free=300_000_000)
    )
    monkeypatch.setattr("axdesk.api.preflight.network_drive", lambda _: "nfs4")
    lines = [line for line in lab.lines() if line.title == "Storage"]
    assert [line.verdict for line in lines] == [WARNING, WARNING]
    assert "Only 300 MB are free" in lines[0].message
    assert "(nfs4)" in lines[1].message
    monkeypatch.setattr(
        "axdesk.api.preflight.shutil.disk_usage", lambda _: usage._replace(free=100_000)
    )
    assert not lab.workspace.preflight(lab.draft).may_start


def test_a_place_that_cannot_be_written_is_a_problem(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.api.preflight.os.access", lambda *_: False)
    line = lab.line("Storage")
    assert (line.verdict, line.place) == (PROBLEM, None)
    assert f"{lab.workspace.database} cannot be written." in line.message


def test_another_process_that_runs_it_is_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    number = lab.workspace.create_from_setup(lab.setup)
    (summary,) = lab.workspace.summaries()
    for controller, verdict in (("4711@LAB-PC2", PROBLEM), (f"{os.getpid()}@here", PASSED)):
        driven = replace(summary, controller=controller)
        monkeypatch.setattr(lab.workspace, "summaries", lambda driven=driven: (driven,))
        line = lab.line("Control", number=number)
        assert line.verdict is verdict
    monkeypatch.undo()
    assert lab.line("Control", number=number).verdict is PASSED


MOUNTS = [
    "/dev/sda1 / ext4 rw 0 0",
    "server:/home /home nfs4 rw 0 0",
    "/dev/sdb1 /home/local ext4 rw 0 0",
    "//lab/share /mnt/Lab\\040data cifs rw 0 0",
    "me@host: /mnt/ssh fuse.sshfs rw 0 0",
    "garbage",
]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lab.sqlite", ""),
        ("/home/me/lab.sqlite", "nfs4"),
        ("/home/local/me", ""),
        ("/homeless", ""),
        ("/mnt/Lab data/x", "cifs"),
        ("/mnt/ssh", "fuse.sshfs"),
    ],
)
def test_a_drive_of_the_network_is_known_by_its_mount(path: str, kind: str) -> None:
    assert kind_of_mount(path, MOUNTS) == kind


def test_this_disk_is_none_of_the_network(tmp_path: Path) -> None:
    assert network_drive(tmp_path) == ""


def test_nothing_is_stored_by_looking(lab: Lab) -> None:
    before = lab.workspace.summaries()
    lab.lines()
    assert lab.workspace.summaries() == before
