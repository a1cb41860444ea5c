"""Options: described from the constructor, checked, and given to it."""

from collections.abc import Mapping
from enum import Enum, IntEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal, Optional

import pytest

from axdesk.core.errors import NotFoundError, PluginError, UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.parameters import TParameterization
from axdesk.core.plugins import (
    OptionDescription,
    PluginCatalogue,
    PluginChoice,
    PluginFile,
    TOptionValue,
)
from axdesk.core.trial import TrialStatus
from axdesk.plugins.build import build_metric, build_runner
from axdesk.plugins.describe import TPluginClass, constructor_options, described
from axdesk.plugins.loader import LoadedPlugins


class Solvent(Enum):
    WATER = "water"
    THF = "thf"


class Speed(IntEnum):
    SLOW = 1
    FAST = 2


class Base(IRunner):
    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        return {}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        return TrialStatus.COMPLETED


class Everything(Base):
    """Takes everything.

    Args:
        whole: A whole number,
            over two lines.
        number (float): In °C: from 0.
        text: Any.

    Attributes:
        flag: Not an argument.
    """

    def __init__(  # type: ignore[no-untyped-def]
        self,
        whole: int,
        number: float = 5,
        text: str = "a",
        flag: bool = True,
        folder: Path = Path("data"),
        mode: Literal["a", "b", 3] = "b",
        solvent: Solvent = Solvent.THF,
        speed: Speed = Speed.SLOW,
        limit: float | None = 1.5,
        old: Optional[int] = None,  # noqa: UP045  # what a laboratory may still write
        either: int | float = 1,
        path: str | Path = "x",
        quoted: "int" = 2,
        implicit: str = None,  # type: ignore[assignment]  # noqa: RUF013  # as many write it
        unhinted=4,
        choice: Literal["x", None] = None,
        **more: Any,
    ) -> None:
        self.given = {k: v for k, v in locals().items() if k not in ("self", "__class__")}


class Metric(IMetric):
    """A metric."""

    def __init__(self, name: str, offset: float = 0.0) -> None:
        super().__init__(name)
        self.offset = offset

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        return 0, self.offset


class YieldMetric(Metric):
    def __init__(self, offset: float = 0.0) -> None:
        super().__init__("yield", offset)


class PassingMetric(Metric):
    def __init__(self, gain: float = 1.0, **more: Any) -> None:
        super().__init__(**more)
        self.gain = gain


class NamelessMetric(Metric):
    def __init__(self) -> None:
        pass


class Raising(Base):
    def __init__(self, port: int = 1) -> None:
        raise SystemExit(f"no port {port}")


def plugins_of(*classes: TPluginClass) -> LoadedPlugins:
    descriptions = tuple(described(cls, f"lab.py:{cls.__name__}") for cls in classes)
    catalogue = PluginCatalogue("lab", (PluginFile("lab.py", "0" * 64, descriptions),))
    return LoadedPlugins(catalogue, {f"lab.py:{cls.__name__}": cls for cls in classes})


def choice_of(cls: type, **options: TOptionValue) -> PluginChoice:
    return PluginChoice(f"lab.py:{cls.__name__}", options)


def built(**options: TOptionValue) -> dict[str, Any]:
    runner = build_runner(plugins_of(Everything), choice_of(Everything, **options))
    assert isinstance(runner, Everything)
    return runner.given


def test_options_are_described_from_hints_defaults_and_docstring() -> None:
    options = described(Everything, "lab.py:Everything").options

    solvents, modes = ("water", "thf"), ("a", "b", 3)
    assert options == (
        OptionDescription("whole", "int", is_required=True, help="A whole number, over two lines."),
        OptionDescription("number", "float", default=5.0, help="In °C: from 0."),
        OptionDescription("text", "str", default="a", help="Any."),
        OptionDescription("flag", "bool", default=True),
        OptionDescription("folder", "path", default="data"),
        OptionDescription("mode", "choice", default="b", choices=modes),
        OptionDescription("solvent", "choice", default="thf", choices=solvents),
        OptionDescription("speed", "choice", default=1, choices=(1, 2)),
        OptionDescription("limit", "float", default=1.5, is_optional=True),
        OptionDescription("old", "int", is_optional=True),
        OptionDescription("either", "float", default=1.0),
        OptionDescription("path", "path", default="x"),
        OptionDescription("quoted", "int", default=2),
        OptionDescription("implicit", "str", is_optional=True),
        OptionDescription("unhinted", "int", default=4),
        OptionDescription("choice", "choice", choices=("x",), is_optional=True),
    )
    assert type(options[1].default) is float


def test_the_name_of_a_metric_is_no_option() -> None:
    assert [o.description.name for o in constructor_options(Metric)] == ["offset"]
    assert [o.description.name for o in constructor_options(YieldMetric)] == ["offset"]
    assert constructor_options(Base) == ()


@pytest.mark.parametrize(
    ("hint", "default", "told"),
    [
        (list[int], [], r"'port' of Odd has the type hint list\[int\]"),
        (object, None, "has the type hint object"),
        ("Unknown", 1, "'Unknown', which cannot be resolved: NameError"),
        ("1 +", 1, "cannot be resolved: SyntaxError"),
        (int | str, 1, r"has the type hint int \| str"),
        (Literal[b"x"], b"x", "Literal"),
        (Enum("Pair", {"A": (1, 2)}), None, "Pair"),
        (int, "5", "has the default '5', which its type hint int does not allow"),
        (Literal["a"], "b", "has the default 'b'"),
    ],
)
def test_a_hint_that_no_form_can_fill_is_told_with_its_option(
    hint: Any, default: Any, told: str
) -> None:
    class Odd(Base):
        def __init__(self, port: Any = default) -> None: ...

    Odd.__init__.__annotations__["port"] = hint

    with pytest.raises(PluginError, match=told):
        described(Odd, "lab.py:Odd")


def test_an_option_without_hint_or_by_position_only_is_told() -> None:
    class Unhinted(Base):
        def __init__(self, port) -> None: ...  # type: ignore[no-untyped-def]

    class Positional(Base):
        def __init__(self, port: int, /) -> None: ...

    with pytest.raises(PluginError, match="'port' of Unhinted has no type hint"):
        described(Unhinted, "lab.py:Unhinted")
    with pytest.raises(PluginError, match="'port' of Positional can only be given by position"):
        described(Positional, "lab.py:Positional")


def test_options_reach_the_constructor_in_its_own_types() -> None:
    given = built(
        whole=3.0, number=2, folder="~/runs", solvent="water", speed=2, limit=None, mode=3
    )

    assert given["whole"] == 3
    assert type(given["whole"]) is int
    assert type(given["number"]) is float
    assert given["folder"] == Path.home() / "runs"
    assert given["solvent"] is Solvent.WATER
    assert given["speed"] is Speed.FAST
    assert given["limit"] is None
    assert given["mode"] == 3
    assert given["more"] == {}


def test_options_left_out_keep_the_constructor_s_own_defaults() -> None:
    given = built(whole=1)

    assert given["solvent"] is Solvent.THF
    assert given["folder"] == Path("data")
    assert given["path"] == "x"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "needs the option 'whole'"),
        ({"whole": 1, "hole": 2}, r"no option 'hole'\. Its options: whole, number"),
        ({"whole": 1.5}, r"lab.py:Everything: The option 'whole' is 1\.5; a whole number"),
        ({"whole": float("inf")}, "a whole number"),
        ({"whole": True}, "a whole number"),
        ({"whole": None}, "a whole number"),
        ({"whole": 1, "number": "5"}, "'number' is '5'; a number"),
        ({"whole": 1, "number": float("nan")}, "'number' is nan; a number"),
        ({"whole": 1, "text": 5}, "a text"),
        ({"whole": 1, "flag": 1}, "true or false"),
        ({"whole": 1, "folder": ""}, "the path of a file or folder"),
        ({"whole": 1, "mode": "c"}, "one of 'a', 'b', 3"),
        ({"whole": 1, "speed": True}, "one of 1, 2"),
        ({"whole": 1, "solvent": Solvent.WATER}, "one of 'water', 'thf'"),
    ],
)
def test_an_option_that_is_not_allowed_is_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UserInputError, match=told):
        built(**options)


def test_metrics_are_built_with_the_name_of_the_experiment() -> None:
    plugins = plugins_of(Metric, PassingMetric, YieldMetric)

    metric = build_metric(plugins, choice_of(Metric, offset=2), "Yield (%)")
    passing = build_metric(plugins, choice_of(PassingMetric), "a")
    own = build_metric(plugins, choice_of(YieldMetric, offset=1.5), "yield")

    assert (metric.name, metric.fetch(0, {})) == ("Yield (%)", (0, 2.0))
    assert (passing.name, own.name) == ("a", "yield")
    with pytest.raises(UserInputError, match="calls itself 'yield' and cannot fetch 'purity'"):
        build_metric(plugins, choice_of(YieldMetric), "purity")


def test_a_metric_that_forgets_its_name_is_told_how() -> None:
    with pytest.raises(PluginError, match=r"Call super\(\).__init__\(name\)"):
        build_metric(plugins_of(NamelessMetric), choice_of(NamelessMetric), "a")


def test_a_runner_is_no_metric_and_what_is_not_there_is_said() -> None:
    plugins = plugins_of(Base, Metric)

    with pytest.raises(UserInputError, match="is a metric; a runner is needed"):
        build_runner(plugins, choice_of(Metric))
    with pytest.raises(UserInputError, match="is a runner; a metric is needed"):
        build_metric(plugins, choice_of(Base), "a")
    with pytest.raises(NotFoundError, match=r"Found there: lab\.py:Base, lab\.py:Metric"):
        build_runner(plugins, choice_of(Everything))


def test_a_constructor_that_raises_is_told_with_its_traceback() -> None:
    with pytest.raises(PluginError, match=r"lab\.py:Raising cannot be made: SystemExit") as raised:
        build_runner(plugins_of(Raising), choice_of(Raising, port=7))

    assert "no port 7" in raised.value.message
    assert "in __init__" in raised.value.details


class Ranged(Base):
    def __init__(
        self,
        flow: Annotated[float, (0, 60.5), "mL/min"] = 1.0,
        steps: Annotated[int, (1, None)] = 2,
        wait: Annotated[float | None, "s", (None, 90)] = None,
        gain: Annotated[float, SimpleNamespace(ge=-1, le=1), "free text"] = 0.0,
        mode: Annotated[str, "a note of its author", (0, 1)] = "x",
    ) -> None:
        self.given = (flow, steps, wait, gain, mode)


def test_a_number_may_say_its_range_and_unit() -> None:
    options = described(Ranged, "a.py:Ranged").options
    assert [(o.range_text, o.unit) for o in options] == [
        ("0 to 60.5\u00a0mL/min", "mL/min"),
        ("at least 1", ""),
        ("at most 90\u00a0s", "s"),
        ("-1 to 1\u00a0free text", "free text"),
        ("", ""),
    ]
    assert options[2].is_optional


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"flow": 61}, "'flow' is 61; a number, 0 to 60.5"),
        ({"steps": 0}, "'steps' is 0; a whole number, at least 1, is needed"),
        ({"wait": 90.5}, "at most 90"),
        ({"gain": -2}, "-1 to 1"),
    ],
)
def test_a_number_outside_of_its_range_is_refused(
    given: Mapping[str, TOptionValue], message: str
) -> None:
    file = PluginFile("a.py", "", (described(Ranged, "a.py:Ranged"),))
    plugins = LoadedPlugins(PluginCatalogue("", (file,)), {"a.py:Ranged": Ranged})
    with pytest.raises(UserInputError, match=message):
        build_runner(plugins, PluginChoice("a.py:Ranged", given))
    made = build_runner(plugins, PluginChoice("a.py:Ranged", {"wait": None, "flow": 60.5}))
    assert isinstance(made, Ranged)
    assert made.given == (60.5, 2, None, 0.0, "x")


def test_a_default_outside_of_its_range_is_told() -> None:
    class Wrong(Base):
        def __init__(self, flow: Annotated[float, (0, 1)] = 2.0) -> None: ...

    with pytest.raises(PluginError, match=r"has the default 2\.0, which its type hint"):
        described(Wrong, "a.py:Wrong")
