"""One experiment with a fixed seed, begun and gone on with by any front door.

As a program, `repeatable_lab.py FOLDER PARALLELISM` runs it by the library from its beginning.
"""

import shutil
import sys
from contextlib import closing
from pathlib import Path

from axdesk.api.client import Client, Opened
from axdesk.api.configs import OrchestrationConfig
from axdesk.api.workspace import Workspace
from axdesk.core.events import Publish
from axdesk.core.experiment import Experiment
from axdesk.storage.store import SqlStore
from tests.e2e import bowl_plugin
from tests.e2e.bowl_plugin import BowlMetric, BowlRunner

NAME = "repeatable"
TRIALS = 9
DESIGNED = 4
"""Space-filling trials before the model takes over."""

_FILE = """
[experiment]
name = "repeatable"
plugin_folder = "plugins"

[[parameters]]
name = "x"
type = "float"
low = 0.0
high = 1.0

[[parameters]]
name = "k"
type = "float"
low = 1e-4
high = 1.0
scale = "log"

[[parameters]]
name = "n"
type = "int"
low = 1
high = 6

[[parameters]]
name = "solvent"
type = "choice"
values = ["a", "b", "c"]

[optimization]
objective = "-y"

[generation]
initial_trials = 4
seed = 11

[runner]
plugin = "bowl_plugin.py:BowlRunner"

[runner.options]
folder = '{folder}'

[metrics.y]
plugin = "bowl_plugin.py:BowlMetric"

[run]
max_trials = 9
initial_seconds_between_polls = 0.02
min_seconds_between_launches = 0.0
"""


def experiment_file(folder: Path) -> Path:
    """Write the experiment and its plugin into a folder; return the experiment file."""
    (folder / "plugins").mkdir(parents=True)
    shutil.copy(bowl_plugin.__file__, folder / "plugins")
    file = folder / "repeatable.toml"
    file.write_text(_FILE.format(folder=folder), "utf-8")
    return file


def database(folder: Path) -> Path:
    """Return where the experiment is kept."""
    return folder / "lab.sqlite"


def stored(folder: Path) -> Experiment:
    """Return the experiment as the database tells it."""
    with closing(SqlStore.at(database(folder))) as store:
        return store.load(NAME)


def create(folder: Path) -> None:
    """Keep the experiment in the folder's database."""
    with closing(Workspace(database(folder))) as workspace:
        workspace.create_from_setup(workspace.read_file(experiment_file(folder)))


def by_library(folder: Path) -> Client:
    """Return a client whose optimiser and laboratory are threads of this process."""
    store = SqlStore.at(database(folder))
    client = Client(opened=Opened(store, store.load(NAME)))
    client.configure_runner(BowlRunner(folder))
    client.configure_metrics([BowlMetric("y")])
    return client


def begin(client: Client, parallelism: int = 1, on_event: Publish | None = None) -> None:
    """Run the experiment from its beginning."""
    client.run_trials(
        TRIALS,
        parallelism,
        initial_seconds_between_polls=0.02,
        config=OrchestrationConfig(min_seconds_between_launches=0.0),
        on_event=on_event,
    )


def main(folder: Path, parallelism: int) -> None:
    """Run the experiment from its beginning, by the library."""
    create(folder)
    with closing(by_library(folder)) as client:
        begin(client, parallelism)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
