"""The part of a client that tells what came out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from axdesk.api import results
from axdesk.api.client_state import ClientState
from axdesk.core.arguments import with_checked_arguments
from axdesk.core.cards import Card
from axdesk.core.parameters import TParameterization
from axdesk.core.suggestions import request_for
from axdesk.core.trial import TrialStatus
from axdesk.core.trial_columns import DecimalSign, FileFormat
from axdesk.exchange.trials_export import write_trials

if TYPE_CHECKING:
    import pandas as pd


@with_checked_arguments
class ResultMethods(ClientState):
    """Tells what came out."""

    def get_best_parameterization(
        self,
        use_model_predictions: bool = True,  # noqa: FBT001, FBT002, RUF100  # the tutorial's signature
    ) -> results.BestParameterization:
        """Return the best trial: (parameters, {metric: (mean, variance)}, index, arm name).

        All completed trials count, also those that finished last. The tuple's `rule` says whether
        the model's or the measured values were compared, its `reason` why.

        Args:
            use_model_predictions: Whether the model says which observed point is best and what to
                expect there; where it cannot be fitted, and otherwise, what was observed.

        Raises:
            NotFoundError: If no completed trial keeps the limits.
            UnsupportedError: If there are several objectives: see `get_pareto_frontier`.
        """
        return results.best_of(self.experiment, self._used_optimizer(), use_model_predictions)

    def get_pareto_frontier(
        self,
        use_model_predictions: bool = True,  # noqa: FBT001, FBT002, RUF100  # the signature of Ax
    ) -> list[results.BestParameterization]:
        """Return the trials that no other one beats in every objective, by index.

        Each as `get_best_parameterization` returns one, with `rule` and `reason`.

        Args:
            use_model_predictions: As in `get_best_parameterization`.

        Raises:
            NotFoundError: If no completed trial keeps the limits.
            UnsupportedError: If there is one objective.
        """
        return results.front_of(self.experiment, self._used_optimizer(), use_model_predictions)

    def predict(self, points: Sequence[TParameterization]) -> list[dict[str, tuple[float, float]]]:
        """Return what the model expects at each point: {metric: (mean, sem)}.

        Args:
            points: Each a value for each parameter that exists there, within its bounds.

        Returns:
            One dict a point, in order: of each metric that is optimised or limited the mean and
            its standard error, in the metric's unit. Noise of a single measurement is not in it.

        Raises:
            UserInputError: If a parameter is missing or unknown, or a value is not allowed.
            GenerationError: If there are too few results for a model.
        """
        if not points:
            return []
        request = request_for(self.experiment)
        checked = [request.search_space.checked(point) for point in points]
        predicted = self._used_optimizer().predict(request, checked).result()
        return [{p.metric: (p.mean, p.sem) for p in at_point} for at_point in predicted]

    def compute_analyses(
        self,
        analyses: Sequence[str] | None = None,
        display: bool = True,  # noqa: FBT001, FBT002, RUF100  # the tutorial's signature
    ) -> list[Card]:
        """Return the summary, the best trials and the convergence as cards.

        Args:
            analyses: Names of cards, such as `"summary"`; None for all of them.
            display: Whether to write them to the standard output.

        Raises:
            UserInputError: If there is no card of a name.
        """
        return results.cards_of(self.experiment, analyses, display=display)

    def summarize(
        self,
        trial_indices: Sequence[int] | None = None,
        trial_statuses: Sequence[TrialStatus] | None = None,
    ) -> "pd.DataFrame":
        """Return one row a trial, by index.

        The columns are `trial_index`, `arm_name`, `trial_status`, `failure_reason`,
        `generation_node`, those of the runner's metadata, then `METRIC` and `METRIC_sem` of each
        metric and each parameter, in their units. A metadata key that is the name of another
        column is left out.

        Args:
            trial_indices: Trials wanted, from 0; None for all.
            trial_statuses: Statuses wanted; None for all.

        Raises:
            NotFoundError: If there is no trial of an index.
        """
        return results.data_frame(self.experiment, trial_indices, trial_statuses)

    def export_trials(
        self,
        filepath: str | Path,
        file_format: FileFormat | None = None,
        *,
        decimal: DecimalSign = "point",
        trial_indices: Sequence[int] | None = None,
    ) -> int:
        """Write trials to a file, whole or not at all; return their number.

        A row a trial: number, arm, status, source, parameters, mean and sem of each metric, whether
        the limits are met, what was predicted, times, whether it is excluded, reason and note.
        `import_trials_file` reads such files again.

        Args:
            filepath: What is there is replaced.
            file_format: `"csv"`, `"xlsx"` or `"json"`; None for that of the file's name.
            decimal: Of a CSV file; with `"comma"`, its cells are parted by semicolons.
            trial_indices: From 0; None for all.

        Raises:
            NotFoundError: If there is no trial with one of the indices.
            UserInputError: If the file cannot be written.
        """
        return write_trials(
            self.experiment, Path(filepath), file_format, decimal=decimal, indices=trial_indices
        )
