"""What a laboratory implements, and how its files are described."""

from collections.abc import Mapping
from typing import Any

import pytest

from axdesk.core.errors import NotFoundError, UnsupportedError, UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.parameters import TParameterization
from axdesk.core.plugins import PluginCatalogue, PluginDescription, PluginFile, PluginKind
from axdesk.core.trial import TrialStatus


class Pump(IRunner):
    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        return {"file": f"{trial_index}.json"}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        return TrialStatus.COMPLETED


class Reading(IMetric):
    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        return 0, 1.5


class Unfinished(IRunner):
    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        return {}


def test_a_missing_method_is_an_error_at_construction() -> None:
    with pytest.raises(TypeError, match="poll_trial"):
        Unfinished()  # type: ignore[abstract]  # that is the point
    with pytest.raises(TypeError, match="fetch"):
        IMetric("y")  # type: ignore[abstract]  # as above


def test_what_a_runner_does_not_offer_says_so() -> None:
    with pytest.raises(UnsupportedError, match="Pump cannot stop a trial"):
        Pump().stop_trial(0, {})
    with pytest.raises(UnsupportedError, match="Pump cannot look for trials"):
        Pump().find_trial(0, {})


def test_a_metric_has_a_name_that_is_a_label() -> None:
    metric = Reading("Yield (%)")

    assert metric.name == "Yield (%)"
    assert not metric.is_available_while_running()
    with pytest.raises(UserInputError, match="The metric needs a name"):
        Reading("")


CATALOGUE = PluginCatalogue(
    "/lab",
    (
        PluginFile("broken.py", "00", error="no module named visa"),
        PluginFile(
            "lab.py",
            "11",
            (
                PluginDescription("lab.py:Pump", PluginKind.RUNNER),
                PluginDescription("lab.py:Reading", PluginKind.METRIC),
            ),
        ),
    ),
)


def test_plugins_are_found_by_reference_and_kind() -> None:
    assert CATALOGUE.find("lab.py:Pump").class_name == "Pump"
    assert [p.class_name for p in CATALOGUE.of_kind(PluginKind.METRIC)] == ["Reading"]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("broken.py:X", r"The plugin file broken\.py cannot be used: no module named visa"),
        ("lab.py:X", r"'lab\.py:X' is not in /lab\. Found there: lab\.py:Pump, lab\.py:Reading\."),
        ("", r"The plugin '' is not in /lab\."),
    ],
)
def test_a_missing_plugin_is_said_with_its_reason(reference: str, message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        CATALOGUE.find(reference)
