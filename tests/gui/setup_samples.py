"""Drafts and a plugin folder for the tests of the set-up."""

from typing import TypeVar

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft
from axdesk.core.plugins import (
    OptionDescription,
    PluginCatalogue,
    PluginDescription,
    PluginFile,
    PluginKind,
)

W = TypeVar("W", bound=QObject)
RUNNER = "cell.py:Cell"
METRIC = "hplc.py:Area"

CATALOGUE = PluginCatalogue(
    "/plugins",
    (
        PluginFile(
            "cell.py",
            "0" * 64,
            (
                PluginDescription(
                    RUNNER,
                    PluginKind.RUNNER,
                    "Drives the cell.",
                    (
                        OptionDescription("address", "str", is_required=True, help="Its name."),
                        OptionDescription("reactors", "int", default=4),
                        OptionDescription(
                            "volume",
                            "float",
                            default=2.0,
                            low=0.0,
                            high=50.0,
                            unit="mL",
                        ),
                        OptionDescription(
                            "mode", "choice", default="fast", choices=("fast", "careful")
                        ),
                        OptionDescription("verbose", "bool", default=False),
                        OptionDescription("folder", "path", default="~/runs"),
                    ),
                    can_stop=True,
                ),
                PluginDescription("cell.py:Simulator", PluginKind.RUNNER, "Needs nothing."),
            ),
        ),
        PluginFile(
            "hplc.py",
            "1" * 64,
            (
                PluginDescription(
                    METRIC,
                    PluginKind.METRIC,
                    "Area of a peak.",
                    (OptionDescription("noise_sd", "float", default=0.0),),
                ),
            ),
        ),
        PluginFile("robot.py", "2" * 64, (), "No module named 'robolib'", "Traceback …\nboom"),
    ),
)


def suzuki() -> Draft:
    """A valid draft with every kind of row."""
    draft = Draft().with_rows(Section.GENERAL, [{"name": "Suzuki", "owner": "M. Keller"}])
    draft = draft.with_rows(
        Section.PARAMETERS,
        [
            {"name": "Temperature", "unit": "°C", "kind": "decimal", "low": "50", "high": "120"},
            {"name": "Time", "kind": "whole", "low": "5", "high": "60", "start": "30"},
            {"name": "Solvent", "kind": "choice", "choices": "Toluene; DMF", "start": "DMF"},
            {"name": "Catalyst", "kind": "decimal", "low": "0,05", "high": "5", "scale": "log"},
            {"name": "Base", "kind": "fixed", "start": "2"},
            {"on": "no", "name": "Stirring", "kind": "whole", "low": "200", "high": "800"},
        ],
    )
    draft = draft.with_rows(
        Section.OBJECTIVES,
        [
            {"name": "Yield", "unit": "%", "goal": "maximise", "metric": METRIC},
            {"name": "Impurity", "unit": "%", "goal": "limit", "limit_kind": "<=", "limit": "2",
             "metric": METRIC},
            {"name": "Pressure", "goal": "record", "metric": METRIC},
        ],
    )  # fmt: skip
    draft = draft.with_rows(Section.CONSTRAINTS, [{"expression": "Temperature + Time <= 150"}])
    return draft.with_rows(Section.RUNNER, [{"reference": RUNNER, "option.address": "10.0.4.17"}])


def found(view: QWidget, kind: type[W], name: str) -> W:
    """The widget of that name, which must be there."""
    widget = view.findChild(kind, name)
    assert widget is not None, name
    return widget
