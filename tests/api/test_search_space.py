"""What a client makes of its search space, where Ax 1.3.1 is known to go wrong (H14, H15, H16)."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal

import pytest

from axdesk.api.client import Client
from axdesk.api.configs import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    RangeParameterConfig,
)
from axdesk.core.errors import UserInputError
from axdesk.core.parameters import ParameterConfig, TParameterization


@pytest.fixture
def client() -> Iterator[Client]:
    with closing(Client(random_seed=3)) as made:
        yield made


def suggested(
    client: Client,
    parameters: Sequence[ParameterConfig],
    constraints: Sequence[str] = (),
    *,
    trials: int = 12,
) -> list[TParameterization]:
    """Run trials by the centre, Sobol points and the model, and return their parameters."""
    client.configure_experiment(parameters, constraints)
    client.configure_optimization("-cost")
    client.configure_generation_strategy(initialization_budget=5)
    points: list[TParameterization] = []
    for _ in range(trials):
        for index, point in client.get_next_trials(1).items():
            numbers = [float(v) for v in point.values() if isinstance(v, int | float)]
            client.complete_trial(index, {"cost": sum((n - 2) ** 2 for n in numbers)})
            points.append(point)
    return points


def test_h14_constraints_hold_for_stepped_and_choice_parameters(client: Client) -> None:
    parameters: list[ParameterConfig] = [
        RangeParameterConfig("a", (0, 10), step_size=0.5),
        RangeParameterConfig("b", (0, 10), "int"),
        ChoiceParameterConfig("c", [1.5, 2.5, 4.0], "float"),
    ]

    points = suggested(client, parameters, ["a + b + c <= 8.5", "a - b >= 1", "2*a + b >= 6"])

    sources = {trial.generation.source for trial in client.experiment.trials.values()}
    assert sources == {"center", "sobol", "model"}
    for point in points:
        a, b, c = (float(point[name]) for name in "abc")
        assert a + b + c <= 8.5
        assert a - b >= 1
        assert 2 * a + b >= 6
        assert (a * 2).is_integer()
        assert c in (1.5, 2.5, 4.0)


def test_h15_no_step_lies_beyond_the_bound_or_off_the_decimal_grid(client: Client) -> None:
    points = suggested(client, [RangeParameterConfig("x", (1.0, 1.3), step_size=0.1)], trials=4)

    assert sorted(float(point["x"]) for point in points) == [1.0, 1.1, 1.2, 1.3]


def test_h15_a_step_that_does_not_divide_the_range_ends_below_the_bound(client: Client) -> None:
    points = suggested(client, [RangeParameterConfig("x", (0, 1), step_size=0.3)], trials=4)

    assert sorted(float(point["x"]) for point in points) == [0.0, 0.3, 0.6, 0.9]


def test_h15_a_grid_of_millions_is_as_exact(client: Client) -> None:
    points = suggested(client, [RangeParameterConfig("x", (0.1, 1000), step_size=0.0001)])

    for point in points:
        assert (Decimal(repr(point["x"])) - Decimal("0.1")) % Decimal("0.0001") == 0


def test_h16_no_scale_is_logarithmic_unless_it_was_asked_for(client: Client) -> None:
    parameters = [RangeParameterConfig("x", (1, 100), step_size=1)]
    client.configure_experiment(parameters, ["x <= 80"])
    client.configure_optimization("-cost")
    client.configure_generation_strategy("random_search")

    values = [float(p["x"]) for p in client.get_next_trials(60).values()]

    assert client.experiment.search_space.parameters == tuple(parameters)
    assert not parameters[0].is_log
    assert max(values) <= 80
    # Evenly on a straight scale: a logarithmic one would have half of them below 10.
    assert sum(value <= 10 for value in values) <= 12
    assert sum(value > 40 for value in values) >= 24


def test_an_equality_holds_for_every_source(client: Client) -> None:
    parameters = [RangeParameterConfig(name, (0, 100)) for name in "abc"]

    points = suggested(client, parameters, ["a + b + c = 100", "a <= 60"])

    sums = [sum(map(float, point.values())) for point in points]
    assert sums == pytest.approx([100.0] * len(points), rel=1e-14)
    assert all(float(point["a"]) <= 60 for point in points)
    assert len({tuple(point.values()) for point in points}) == len(points)


def test_what_is_off_derived_or_does_not_exist_is_as_promised(client: Client) -> None:
    parameters: list[ParameterConfig] = [
        ChoiceParameterConfig("heated", [False, True], "bool", dependent_parameters={True: ["T"]}),
        RangeParameterConfig("T", (30, 90), "int"),
        RangeParameterConfig("stirring", (200.0, 800.0), start_value=400.0, is_on=False),
        RangeParameterConfig("share", (0.0, 1.0)),
        DerivedParameterConfig("rest", "1 - share"),
    ]

    points = suggested(client, parameters)

    for point in points:
        expected = ["heated", "T", "stirring", "share", "rest"]
        assert list(point) == [n for n in expected if n != "T" or point["heated"]]
        assert point["stirring"] == 400.0
        assert point["rest"] == 1 - float(point["share"])
    assert {point["heated"] for point in points} == {False, True}
    table = client.summarize()
    assert list(table["T"].isna()) == [not point["heated"] for point in points]


def test_constraints_that_clash_are_refused_by_name(client: Client) -> None:
    parameters = [RangeParameterConfig(name, (0, 9), "int") for name in "ab"]

    with pytest.raises(UserInputError) as refused:
        client.configure_experiment(parameters, ["2*a + 2*b = 3", "a <= 5"])

    assert "“2*a + 2*b = 3” cannot be kept" in refused.value.message
    assert "a <= 5" not in refused.value.message


def test_a_point_from_outside_is_told_and_does_not_move_the_search(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.configure_experiment(
        [RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("n", (0, 10), step_size=2)],
        ["x + n <= 8"],
    )
    client.configure_optimization("-cost")
    for x, n in [(50.0, 4), (0.5, 3), (0.0, 10), (0.1, 2), (0.9, 6), (0.4, 0), (0.7, 4)]:
        index = client.attach_trial({"x": x, "n": n})
        client.complete_trial(index, {"cost": (x - 0.3) ** 2 + (n - 4) ** 2 / 10})

    told = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert [message.partition(". ")[0] for message in told] == [
        "Trial 0 lies outside the search space",
        "Trial 0 lies outside the search space",
        "Trial 1 lies outside the search space",
        "Trial 2 lies outside the search space",
    ]
    assert "'x': the value 50.0 lies outside 0.0 … 1.0" in told[0]
    assert "x + n <= 8 is broken" in told[1]
    assert "lies between two steps" in told[2]
    for _ in range(4):
        ((index, point),) = client.get_next_trials(1).items()
        cost = (float(point["x"]) - 0.3) ** 2 + (float(point["n"]) - 4) ** 2 / 10
        client.complete_trial(index, {"cost": cost})
    last = client.experiment.trial(10)
    assert last.generation.source == "model"
    assert last.parameters == {"x": pytest.approx(0.3, abs=0.1), "n": 4.0}


def test_more_than_a_thousand_choices_are_one_parameter(client: Client) -> None:
    parameters: list[ParameterConfig] = [
        ChoiceParameterConfig("n", range(3000), "int"),
        ChoiceParameterConfig("m", [i / 8 for i in range(2000)], "float"),
        RangeParameterConfig("x", (0.0, 1.0), step_size=0.001),
    ]

    points = suggested(client, parameters, ["n - 8*m = 0"], trials=7)

    for point in points:
        assert point["n"] == 8 * float(point["m"])
