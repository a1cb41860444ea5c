"""The bench counts what it ran, goes on where it was cut, and judges as it says."""

import json
import math
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import peers
from tests.bench import campaign, orchestration
from tests.bench.emulators import EMULATORS, Source, emulate
from tests.bench.loop import seconds_busy
from tests.bench.plot import draw
from tests.bench.problems import FUNCTIONS, Parameter, Problem, hypervolume
from tests.bench.report import Race, write_report

PROBLEMS = {problem.name: problem for problem in FUNCTIONS}


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "runs.jsonl").read_text("utf-8").splitlines()]


def test_a_quick_campaign_runs_each_seed_once_and_goes_on_where_it_was_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--quick", "--output", str(tmp_path)]
    assert campaign.main(asked) == 0

    runs = lines(tmp_path)
    assert sorted((run["problem"], run["seed"]) for run in runs) == [
        ("branin", 1), ("branin", 2), ("gramacy", 1), ("gramacy", 2),
    ]  # fmt: skip
    assert {(run["package"], run["trials"]) for run in runs} == {("axdesk", 8)}
    assert all(0 <= run["regret"] <= 1 and run["suggest_s"] > 0 for run in runs)
    told = (tmp_path / "suggestions.md").read_text("utf-8")
    assert told in capsys.readouterr().out
    assert [line.split(" | ")[0] for line in told.splitlines() if line.endswith("|")] == [
        "| problem", "| ---", "| branin", "| gramacy",
    ]  # fmt: skip

    file = tmp_path / "runs.jsonl"
    file.write_text(file.read_text("utf-8")[:-20], "utf-8")  # the last run was being written
    assert campaign.main(asked) == 0

    assert "1 of 4 runs to do" in capsys.readouterr().out
    again = campaign.read_runs(file)
    assert [run["regret"] for run in again] == [run["regret"] for run in runs]  # the same seeds


def test_emulators_whose_wheel_cannot_be_had_are_left_out_in_sight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "WHEELS", tmp_path / "none")
    monkeypatch.setattr(peers, "download_wheel", lambda pinned: None)

    asked = ["--packages", "axdesk", "--problems", "suzuki,reizman", "--output", str(tmp_path)]
    assert campaign.main(asked) == 0

    out = capsys.readouterr().out
    assert "Left out: suzuki; the wheel of olymp could not be downloaded." in out
    assert "Left out: reizman; the wheel of summit could not be downloaded." in out


def test_what_is_left_is_estimated_by_the_packages_own_runs(tmp_path: Path) -> None:
    runs = campaign.Runs(tmp_path / "runs.jsonl")
    job = campaign.Job("ax", "branin", (1, 2), 30)
    assert runs.minutes([job]) is None
    for problem, wall in (("branin", 60), ("levy4", 180)):
        done = {"package": "ax", "problem": problem, "seed": 9, "trials": 30, "wall_s": wall}
        runs.add(json.dumps(done))

    assert runs.minutes([job]) == pytest.approx(2)
    assert runs.minutes([job._replace(problem="beale")]) == pytest.approx(4)
    assert runs.minutes([job, job._replace(package="optuna")]) is None
    assert campaign.estimate(6.0, 2) == ", about 3 min to go"


@pytest.mark.parametrize("option", ["--problems", "--packages"])
def test_an_unknown_name_lists_the_names(option: str) -> None:
    with pytest.raises(SystemExit, match=r"No such .*: none\. There are: "):
        campaign.read_arguments([option, "none"])


def test_ax_has_fewer_seeds() -> None:
    options = campaign.read_arguments([])

    assert (options.seeds, options.ax_seeds) == (20, 8)
    assert len(options.problems) >= 14
    assert set(EMULATORS) <= set(options.problems)


@pytest.mark.parametrize("problem", FUNCTIONS, ids=lambda problem: problem.name)
def test_no_sampled_point_is_better_than_the_optimum(problem: Problem) -> None:
    sampled = problem.sampled()
    allowed = [(point, truth) for point, truth in sampled if problem.is_allowed(point, truth)]

    assert allowed
    assert problem.regret([]) == 1.0
    if len(problem.objectives) == 1:
        assert min(truth["y"] for _, truth in allowed) >= problem.optimum
        assert 0 <= problem.regret(allowed) <= 1
    else:
        reached = hypervolume([(t["y1"], t["y2"]) for _, t in allowed], problem.reference)
        assert 0.9 * problem.optimum < reached < problem.optimum


@pytest.mark.parametrize(
    ("name", "best"),
    [
        ("branin", [math.pi, 2.275]),
        ("beale", [3.0, 0.5]),
        ("bukin", [-10.0, 1.0]),
        ("rosenbrock3", [1.0] * 3),
        ("levy4", [1.0] * 4),
        ("ackley5", [1.3 + 0.9 * i for i in range(5)]),
        ("hartmann6", [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.657301]),
        ("ellipsoid20", [0.3] * 20),
        ("mixture", [0.4720961, 0.3036083, 0.1089349, 0.1153607]),
        ("gramacy", [0.1951227, 0.4046654]),
        ("vessel", [0.0193 * 37.69902, 0.00954 * 37.69902, 37.69902, 239.9999]),
        ("reaction", [0.2, 0.7, 0.4, 6, "water"]),
        ("crystals", [0.6673722, 0.6387895, 0.6947585]),
    ],
)
def test_the_best_point_reaches_the_optimum(name: str, best: list[Any]) -> None:
    problem = PROBLEMS[name]
    point = dict(zip((p.name for p in problem.parameters), best, strict=True))
    for parameter in problem.parameters:
        value = point[parameter.name]
        assert value in parameter.values or parameter.low <= value <= parameter.high

    truth = problem.truth(point)

    assert truth is not None
    assert truth["y"] - problem.optimum == pytest.approx(0, abs=1e-6 * problem.span)


def test_a_trial_that_passes_a_limit_or_fails_is_not_the_best() -> None:
    vessel, crystals = PROBLEMS["vessel"], PROBLEMS["crystals"]
    small = {"shell": 0.1, "head": 0.1, "radius": 10.0, "length": 10.0}
    full = {"x1": 0.75, "x2": 0.85, "x3": 0.75}

    assert crystals.truth(full) is None
    assert vessel.regret([(small, vessel.truth(small))]) == 1.0
    assert crystals.regret([(full, None)]) == 1.0


def test_the_area_of_two_objectives_counts_each_place_once() -> None:
    assert hypervolume([(1, 2), (2, 1), (2, 2), (5, 0)], (3, 3)) == 3
    assert hypervolume([], (3, 3)) == 0


def test_every_level_of_a_parameter_is_drawn_as_often() -> None:
    integer = Parameter("n", 1, 4, is_integer=True)
    choice = Parameter("c", values=("a", "b"), high=1)

    assert [integer.decoded(share) for share in (0, 0.3, 0.6, 0.999, 1)] == [1, 2, 3, 4, 4]
    assert [choice.decoded(share) for share in (0, 0.49, 0.5, 1)] == ["a", "a", "b", "b"]


def wheel(folder: Path, member: str, text: str) -> None:
    with zipfile.ZipFile(folder / "olymp-0-py3-none-any.whl", "w") as archive:
        archive.writestr(member, text)


def test_an_emulator_follows_the_data_of_its_wheel(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [
        (name, x, 10 - 4 * (x / 10 - 0.3) ** 2 - (name == "b"))
        for x in rng.uniform(0, 10, 40)
        for name in "ab"
    ]
    wheel(tmp_path, "data.csv", "\n".join(",".join(map(str, row)) for row in rows))
    source = Source("", "olymp", "data.csv", {"kind": ["a", "b"], "x": (0.0, 10.0)}, "y", True, 30)

    emulator = emulate(source, tmp_path)

    found = [emulator.value(np.array(["ab".index(name), x])) for name, x, _ in rows]
    assert found == pytest.approx([-y for *_, y in rows], abs=0.1)
    assert emulator.optimum == pytest.approx(-10, abs=0.1)
    assert min(found) >= emulator.optimum


def test_without_the_wheel_no_emulator_is_built(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no wheel of olymp"):
        emulate(EMULATORS["suzuki"], tmp_path)


def races(ours: float, theirs: float, seeds: int = 8) -> Race:
    """Two problems on which both packages always reach the same."""
    runs = [
        {"package": package, "problem": problem, "seed": seed, "trials": 10,
         "regret": regret, "suggest_s": 0.01 if package == "axdesk" else 0.04}
        for problem in ("branin", "levy4")
        for package, regret in (("axdesk", ours), ("optuna", theirs))
        for seed in range(seeds)
    ]  # fmt: skip
    return Race(runs, {"branin": 10, "levy4": 10}, ["axdesk", "optuna"])


def test_ratios_are_geometric_means_of_floored_regrets() -> None:
    ratio = races(1e-9, 1e-5).ratio("optuna")

    assert ratio is not None
    assert (ratio.mean, ratio.low, ratio.high) == pytest.approx((0.1, 0.1, 0.1))


def test_the_test_is_one_sided() -> None:
    assert races(1e-2, 1e-4).chance("optuna", "levy4") < 0.01
    assert races(1e-4, 1e-2).chance("optuna", "levy4") > 0.9
    assert races(1e-4, 1e-4).chance("optuna", "levy4") == 1.0


def test_bounds_hold_the_mean_of_pairs_that_differ() -> None:
    rng = np.random.default_rng(2)
    runs = [
        {"package": package, "problem": problem, "seed": seed, "trials": 10, "suggest_s": 1.0,
         "regret": 10 ** rng.normal(-2, 0.5)}
        for problem in map(str, range(16)) for package in ("axdesk", "ax") for seed in range(8)
    ]  # fmt: skip
    ratio = Race(runs, {str(n): 10 for n in range(16)}, ["axdesk", "ax"]).ratio("ax")

    assert ratio is not None
    assert ratio.low < ratio.mean < ratio.high
    assert ratio.low < 1 < ratio.high


def test_other_budgets_and_lone_seeds_do_not_count() -> None:
    race = races(1e-2, 1e-4)
    more = {"package": "axdesk", "problem": "branin", "regret": 1.0, "suggest_s": 9.0}
    runs = [*race._runs.values(), {**more, "seed": 1, "trials": 99}, {**more, "seed": 99,
            "trials": 10}]  # fmt: skip

    wider = Race(runs, race.trials, race.packages)

    assert wider.seeds("axdesk", "branin") == [*range(8), 99]
    assert wider.ratio("optuna") == race.ratio("optuna")


def test_the_report_tells_problems_ratios_and_times() -> None:
    told = write_report(races(1e-4, 1e-2), {"branin": "2-d", "levy4": "4-d"}, {"hplc": "no wheel"})

    assert "| levy4 | 4-d | 10 | 1.0e-04 / 1.0e-04 (8) | 1.0e-02 / 1.0e-02 (8) | 1.000 |" in told
    assert "- Regret, axdesk over Optuna: 0.01 (90 % of bootstrap draws within 0.01 and" in told
    assert "- Worse than Optuna at p < 0.01 on: none" in told
    assert "- Time, axdesk over Optuna: 0.250 in the mean (branin 0.250)" in told
    assert "Left out: hplc; no wheel." in told


def test_what_was_not_played_is_told_as_such() -> None:
    race = Race([], {"branin": 30}, ["axdesk", "ax"])

    assert "| branin | 2-d | 30 | – | – | 1.000 | – / – |" in write_report(
        race, {"branin": "2-d"}, {}
    )
    ET.fromstring(draw(race))


def test_the_plot_has_a_mark_for_each_package_on_each_problem() -> None:
    names = [element.tag.rpartition("}")[2] for element in ET.fromstring(draw(races(1e-4, 1e-2)))]

    assert names.count("circle") == 1 + 2 * 2  # the legend, and two panels of two problems
    assert names.count("rect") == 2 + 2 * 2  # and the ground


def test_a_loop_that_costs_nothing_waits_for_slots_polls_and_spaces() -> None:
    assert seconds_busy([2.0, 2.0, 2.0], 3, 0.0, 0.0) == 2.0
    assert seconds_busy([2.0, 2.0, 2.0], 3, 0.0, 1.0) == 4.0
    assert seconds_busy([2.0, 2.0, 2.0, 1.0], 3, 0.0, 0.0) == 3.0
    assert seconds_busy([2.1], 1, 1.0, 0.0) == 3.0


def test_a_short_loop_is_held_against_its_ceiling(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orchestration, "WAYS", {"axdesk": [(0.1, False)]})
    asked = ["--trials", "4", "--seconds", "0.2", "--packages", "axdesk"]

    assert orchestration.main([*asked, "--output", str(tmp_path)]) == 0

    out = capsys.readouterr().out
    (row,) = [line for line in out.splitlines() if line.startswith("| axdesk")]
    *_, efficiency, of_ceiling, _ = row.split("|")
    assert "| 0.1 s | at once |" in row
    assert 0 < float(efficiency) <= float(of_ceiling) <= 1
    assert out == (tmp_path / "orchestration.md").read_text("utf-8")
