"""The part of a client that suggests trials and takes what people say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from axdesk.api import asking
from axdesk.api.client_state import ClientState
from axdesk.api.importing import trials_of_frame
from axdesk.api.types import TOutcome
from axdesk.core.arguments import with_checked_arguments
from axdesk.core.attachments import Attachment
from axdesk.core.clock import SystemClock
from axdesk.core.commands import (
    Abandon,
    AddTrial,
    AttachFile,
    DetachFile,
    EnterResult,
    ImportedTrial,
    ImportTrials,
    MarkEarlyStopped,
    MarkFailed,
    Replicate,
    SetExcluded,
    SetNote,
    Void,
)
from axdesk.core.errors import TransitionError
from axdesk.core.parameters import TParameterization, TParameterValue
from axdesk.core.protocols import AuditEntry
from axdesk.core.setup import ExperimentSetup
from axdesk.core.stopping import EarlyStopping
from axdesk.core.trial import TrialSource, TrialStatus
from axdesk.core.trial_columns import DecimalSign
from axdesk.core.trial_import import ImportPlan, ImportSettings, ReadSettings
from axdesk.exchange.table_files import read_table
from axdesk.exchange.trials_import import plan_import
from axdesk.orchestration.early_stopping import reason_to_stop_early
from axdesk.orchestration.trial_commands import observations_of

if TYPE_CHECKING:
    import pandas as pd

_FROM_FILES = (TrialSource.IMPORTED, TrialSource.BASELINE)


@with_checked_arguments
class TrialMethods(ClientState):
    """Asks for trials and tells their results."""

    def get_next_trials(
        self, max_trials: int, fixed_parameters: TParameterization | None = None
    ) -> dict[int, dict[str, TParameterValue]]:
        """Suggest trials that the caller runs: index → parameters; they are RUNNING.

        Args:
            max_trials: At most as many; fewer, with a warning, if every allowed point was tried.
            fixed_parameters: Parameter → value that the suggestions have there, in the parameter's
                unit; the others are searched, and the model knows all values.

        Raises:
            UserInputError: If a parameter that is fixed is unknown, its value is not allowed, the
                constraints cannot be met with it, or none is left to be searched.
            SearchSpaceExhaustedError: If every allowed point was tried.
            GenerationError: If no candidate could be made.
            ExperimentBusyError: If a run goes on.
        """
        return asking.next_trials(
            self._store,
            self.experiment,
            self._used_optimizer(),
            max_trials=max_trials,
            held=fixed_parameters or {},
            now=SystemClock().now(),
        )

    def complete_trial(
        self,
        trial_index: int,
        raw_data: TOutcome | None = None,
        progression: float | None = None,
        *,
        note: str = "",
    ) -> TrialStatus:
        """Enter or correct a trial's result; return its status, COMPLETED.

        A correction keeps the old value in the history.

        Args:
            trial_index: From 0.
            raw_data: Metric → mean, or (mean, sem), in the metric's unit; None completes a trial
                whose data were attached.
            progression: Step in a time series, any finite number; None for the highest that the
                trial has, 0 without any: the values are its latest.
            note: Why, for the history.

        Raises:
            NotFoundError: If there is no such trial.
            UserInputError: If a required metric is missing, or a value is no finite number.
            TransitionError: If the trial was abandoned.
            UnsupportedError: In `on_event`, where it cannot wait for the run.
        """
        self._refuse_in_run("complete_trial", "EnterResult")
        command = EnterResult(trial_index, raw_data or {}, progression, note)
        self.submit(command).result()
        return self.experiment.trial(trial_index).status

    def attach_data(
        self, trial_index: int, raw_data: TOutcome, progression: float | None = None
    ) -> None:
        """Add values to a trial that goes on, without completing it.

        Args:
            trial_index: From 0, of a trial that has not ended.
            raw_data: Metric → mean, or (mean, sem), in the metric's unit; also of tracking metrics.
            progression: Step in a time series, as for `complete_trial`.

        Raises:
            UserInputError: If a metric is unknown, or a value is no finite number.
            TransitionError: If the trial has ended.
        """
        experiment = self.experiment
        self._check_names(tuple(raw_data))
        with self._store.control(experiment):
            trial = experiment.trial(trial_index)
            if trial.status.is_terminal:
                raise TransitionError(
                    f"Trial {trial_index} is {trial.status.words} and takes no more data.",
                    "Enter or correct its result with complete_trial.",
                )
            new = observations_of(trial, raw_data, progression)
            changed = replace(trial, observations=(*trial.observations, *new))
            self._store.save_trial(experiment, changed)
            experiment.put(changed)

    def attach_trial(self, parameters: TParameterization, arm_name: str | None = None) -> int:
        """Add a trial that the caller chose and runs; return its index.

        A value out of bounds or off its step, and a constraint that is broken, are told by a
        warning in the log. The model learns from the trial where it lies, unless that is more than
        half a range outside.

        Args:
            parameters: A value for each parameter that exists there, of its type and in its unit;
                derived ones may be left out.
            arm_name: A name that no other parameterization has; None for the usual one, such as
                `"12_0"`.

        Raises:
            UserInputError: If a parameter is missing or unknown, a value is of another type, or
                the name is taken.
            ExperimentBusyError: If a run goes on.
        """
        return self._apply(AddTrial(dict(parameters), arm_name)).index

    def attach_baseline(self, parameters: TParameterization, arm_name: str | None = None) -> int:
        """Add the trial that limits such as `"qps >= 0.95 * baseline"` are relative to.

        Complete it with `complete_trial`; until then such limits cannot be decided. Without an
        attached baseline they are relative to the trial of the start values, if there is one.

        Args:
            parameters: As for `attach_trial`.
            arm_name: As for `attach_trial`.

        Returns:
            Its index. Of several baselines the latest counts.

        Raises:
            UserInputError: If a parameter is missing or unknown, a value is of another type, or
                the name is taken.
            ExperimentBusyError: If a run goes on.
        """
        return self._apply(AddTrial(dict(parameters), arm_name, is_baseline=True)).index

    def mark_trial_failed(self, trial_index: int, failed_reason: str | None = None) -> None:
        """Give a trial up; its point may be suggested again.

        Args:
            trial_index: From 0.
            failed_reason: Shown and stored with it; None says that it was marked.

        Raises:
            NotFoundError: If there is no such trial.
            TransitionError: If it was completed, abandoned or stopped early already.
        """
        self._order(MarkFailed(trial_index, failed_reason or "marked as failed"))

    def mark_trial_abandoned(self, trial_index: int) -> None:
        """Give a trial up, or void its result, for good; its point is not suggested again.

        Args:
            trial_index: From 0, of a trial in any status but ABANDONED.

        Raises:
            NotFoundError: If there is no such trial.
            TransitionError: If it was abandoned already.
        """
        self._order(Abandon(trial_index))

    def mark_trial_early_stopped(self, trial_index: int) -> None:
        """End a running trial before its time; its values are kept, but not given to the model.

        Args:
            trial_index: From 0.

        Raises:
            NotFoundError: If there is no such trial.
            TransitionError: If it does not run.
            UserInputError: If it has no values.
        """
        self._order(MarkEarlyStopped(trial_index))

    def should_stop_trial_early(self, trial_index: int) -> bool:
        """Whether the trial's latest values say that it is not worth finishing; changes nothing.

        Judged by the `early_stopping` of the last run, or of the set-up before the first; where
        neither has one, by `EarlyStopping(percentile=50)`. A trial that does not run is not to be
        stopped.

        Args:
            trial_index: From 0.

        Raises:
            NotFoundError: If there is no such trial.
        """
        experiment = self.experiment
        trial = experiment.trial(trial_index)
        settings = experiment.runs[-1].settings if experiment.runs else experiment.setup.run
        rule = settings.orchestration.early_stopping or EarlyStopping(percentile=50.0)
        trials = tuple(experiment.trials.values())
        reason = reason_to_stop_early(rule, trial, trials, experiment.optimization)
        return trial.status is TrialStatus.RUNNING and reason != ""

    def void_trial(self, trial_index: int, reason: str = "voided") -> None:
        """Take a completed trial's result back: it becomes ABANDONED, and its values are kept.

        Args:
            trial_index: From 0, of a completed trial.
            reason: Shown and stored with it.

        Raises:
            NotFoundError: If there is no such trial.
            TransitionError: If it is not COMPLETED.
        """
        self._order(Void(trial_index, reason))

    def exclude_trial(self, trial_index: int, reason: str = "") -> None:
        """Withhold a trial from the model and from the best point; it is still shown.

        Args:
            trial_index: From 0, of a trial in any status; `include_trial` undoes it.
            reason: Why, for the history.

        Raises:
            NotFoundError: If there is no such trial.
        """
        self._order(SetExcluded(trial_index, is_excluded=True, reason=reason))

    def include_trial(self, trial_index: int) -> None:
        """Give a trial back to the model, and to the best point.

        Args:
            trial_index: From 0, of a trial that was excluded; any other stays as it is.

        Raises:
            NotFoundError: If there is no such trial.
        """
        self._order(SetExcluded(trial_index, is_excluded=False))

    def set_trial_note(self, trial_index: int, note: str) -> None:
        """Write a trial's note, in the place of an earlier one, which the history keeps.

        Args:
            trial_index: From 0.
            note: Free text; empty takes the note away.

        Raises:
            NotFoundError: If there is no such trial.
        """
        self._order(SetNote(trial_index, note))

    def attach_file(self, trial_index: int, path: Path) -> Attachment:
        """Add a copy of a file to a trial, such as a spectrum; return what is known of it.

        The copy lies beside the database, under the SHA-256 of its content, and is no part of the
        database's backups.

        Args:
            trial_index: From 0, of a trial in any status.
            path: The file; it may be changed or deleted afterwards.

        Raises:
            NotFoundError: If there is no such trial.
            UnsupportedError: If the experiment is kept in memory.
            UserInputError: If it is no file that can be read.
            StorageError: If it cannot be kept.
        """
        self.experiment.trial(trial_index)
        attachment = self._store.keep_file(path, SystemClock().now())
        self._order(AttachFile(trial_index, attachment))
        return attachment

    def detach_file(self, trial_index: int, attachment: Attachment) -> None:
        """Take a file from a trial; its copy and its name in the history stay.

        Args:
            trial_index: From 0.
            attachment: One of the trial's `attachments`.

        Raises:
            NotFoundError: If there is no such trial, or it does not have the file.
        """
        self._order(DetachFile(trial_index, attachment))

    def attachment_path(self, attachment: Attachment) -> Path:
        """Return where a file of a trial lies, to be read and not to be changed.

        Args:
            attachment: One of a trial's `attachments`.

        Raises:
            NotFoundError: If it is gone, or is not what was attached.
        """
        return self._store.path_of(attachment)

    def replicate_trial(self, trial_index: int, *, deploy: bool = True) -> int:
        """Have the parameters of a trial run once more; return the new trial's index.

        Args:
            trial_index: The trial, in any status.
            deploy: Whether the run that goes on, or the next one, deploys it, beyond its
                `max_trials`; otherwise the caller runs it, and completes it with `complete_trial`.

        Raises:
            NotFoundError: If there is no such trial.
            UserInputError: If it is to be deployed and lies outside the search space, or does not
                have its parameters; otherwise the log tells how it deviates.
            UnsupportedError: In `on_event`, where it cannot wait for the run.
        """
        self._refuse_in_run("replicate_trial", "Replicate")
        before = set(self.experiment.trials)
        self.submit(Replicate(trial_index, is_deployed=deploy)).result()
        return max(set(self.experiment.trials) - before)

    def import_trials(self, frame: "pd.DataFrame") -> list[int]:
        """Add earlier trials, all or none; return their indices.

        Args:
            frame: One row a trial. A column of each parameter that is neither fixed nor derived,
                and columns of metrics, by their names and in their units; `METRIC_sem` for standard
                errors, `arm_name`, and `trial_status` (COMPLETED, FAILED, ABANDONED or
                EARLY_STOPPED; without one COMPLETED). Empty cells say nothing. What `summarize`
                returns is understood, too, without the columns of metadata. Values out of bounds
                are told in the log, as by `attach_trial`.

        Raises:
            UserInputError: If a column is unknown, or rows are not allowed, each with its number
                from 0.
            UnsupportedError: In `on_event`, where it cannot wait for the run.
        """
        return self._import(trials_of_frame(self.experiment, frame), "")

    def import_trials_file(
        self,
        filepath: str | Path,
        *,
        columns: Mapping[str, str] | None = None,
        decimal: DecimalSign | None = None,
        encoding: str = "",
        sheet: str = "",
        keep_duplicates: bool = False,
        dry_run: bool = False,
    ) -> ImportPlan:
        """Add earlier trials from CSV, text with tabs, an Excel workbook or JSON.

        Encoding, what parts the cells, decimal sign, heads and units are found out; units are
        converted where that is certain. Rows with something wrong, and those that the experiment
        or the file has already, are skipped; the others are added, all or none.

        Args:
            filepath: What `export_trials` wrote, or what a laboratory wrote itself.
            columns: Head → what the column tells: a parameter, a metric, `METRIC sem`, `status`,
                `arm`, `note`, …, or `ignored`; others are guessed from their heads.
            decimal: `"point"` or `"comma"`; None for what each column shows.
            encoding: Such as `"utf-16"`; empty to find it.
            sheet: Of a workbook; empty for the first one with anything in it.
            keep_duplicates: Whether rows that are there already are added once more.
            dry_run: Whether nothing is added.

        Returns:
            What became of each row; its `summary()` says it in words, its `indices` are those of
            the trials that were added.

        Raises:
            UserInputError: If the file cannot be read, or a column that is named is not there.
            UnsupportedError: In `on_event`, where it cannot wait for the run.
        """
        table = read_table(Path(filepath), ReadSettings(encoding=encoding, sheet=sheet))
        settings = ImportSettings(decimal, named=columns or {}, keeps_duplicates=keep_duplicates)
        plan = plan_import(self.experiment, table, settings)
        if dry_run or not plan.trials:
            return plan
        return plan.carried_out(tuple(self._import(plan.trials, plan.name)))

    def _import(self, trials: Sequence[ImportedTrial], source: str) -> list[int]:
        self._refuse_in_run("import_trials", "ImportTrials")
        before = set(self.experiment.trials)
        self.submit(ImportTrials(trials, source)).result()
        added = sorted(set(self.experiment.trials) - before)
        # A run that goes on may have added others meanwhile.
        return [i for i in added if self.experiment.trial(i).generation.source in _FROM_FILES]

    def setup_of_trial(self, trial_index: int) -> ExperimentSetup:
        """Return the set-up as it was when the trial was suggested or added.

        Search space, objectives and limits are those of the trial's versions, without the metrics
        that were only recorded; all else is as it is now.

        Args:
            trial_index: From 0.

        Raises:
            NotFoundError: If there is no such trial.
        """
        record = self._store.record(self.experiment.id)
        trial = self.experiment.trial(trial_index)
        return replace(
            record.setup,
            search_space=record.search_spaces[trial.search_space_version - 1][1],
            optimization=record.optimizations[trial.optimization_version - 1][1],
        )

    def history(self, trial_index: int | None = None) -> tuple[AuditEntry, ...]:
        """Return what people did to the experiment, or to one trial, oldest first.

        Args:
            trial_index: From 0; None for everything. Of a trial that there is not, nothing is
                known.

        Raises:
            UserInputError: If the experiment is not configured yet.
            StorageError: If the database cannot be used.
        """
        return self._store.history(self.experiment.id, trial_index)
