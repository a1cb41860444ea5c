"""A laboratory with its experiment and its database, and the judgement on what became of them.

The journal of the laboratory says what was really deployed, the lines that axdesk wrote say what it
acknowledged. Both are compared with the database, which is read here without axdesk.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.cases import Verdict
from tests.faults.plans import NAME, Plan
from tests.faults.programs import Ended, Launcher, Program

_FORGOTTEN = frozenset({"candidate", "staged"})
_MOST_RESUMES = 5
DONE, USAGE, NOT_VALID, INTERRUPTED, DECISION = 0, 2, 3, 5, 7


@dataclass(frozen=True)
class Trial:
    """A trial as it stands in the database."""

    status: str
    reason: str
    parameters: Mapping[str, Any]
    values: Sequence[float]


class Laboratory:
    """One folder with an experiment file, a journal and a database.

    Args:
        folder: Made if it does not exist.
        disk: Where the database lies; None for the folder.
        plan: The fields of the experiment's `Plan`.
    """

    def __init__(self, folder: Path, *, disk: Path | None = None, **plan: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.plan = Plan(**plan)
        self.folder = folder
        self.journal = folder / "journal.jsonl"
        self.database = (disk or folder) / "lab.sqlite"
        self.file = folder / "experiment.toml"
        self.file.write_text(self.plan.text(self.journal), "utf-8")
        self.said: list[Ended] = []

    # ---- what is told to axdesk ------------------------------------------------------------------

    def arguments(self, verb: str, *options: str) -> list[str]:
        """Return the arguments that make axdesk run or resume the experiment."""
        what = str(self.file) if verb == "run" else NAME
        return [verb, what, "--database", str(self.database), "--jsonl", *options]

    def start(
        self,
        verb: str = "run",
        *options: str,
        under: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Program:
        """Start the real program on the experiment; what it says is to be handed to `heard`."""
        return Program(self.arguments(verb, *options), self.folder, under=under, environ=environ)

    def heard(self, ended: Ended) -> Ended:
        """Remember what a program acknowledged."""
        self.said.append(ended)
        return ended

    def run(self, launcher: Launcher, verb: str = "run", *options: str, **how: Any) -> Ended:
        """Run the program to its end through a launcher."""
        return self.heard(launcher.run(self.arguments(verb, *options), self.folder, **how))

    def go_on(self, launcher: Launcher, *options: str) -> Ended:
        """Resume, or begin again where the experiment was not yet made, until nothing changes."""
        ended = self.run(launcher, "resume", *options)
        for _ in range(_MOST_RESUMES):
            if ended.code == USAGE and not self.is_made():
                ended = self.run(launcher, "run")
            elif ended.code == INTERRUPTED:
                ended = self.run(launcher, "resume", *options)
            else:
                break
        return ended

    # ---- what is true ----------------------------------------------------------------------------

    def deployed(self) -> list[dict[str, Any]]:
        """Return what the journal says, oldest first."""
        lines = self.journal.read_text("utf-8").splitlines() if self.journal.exists() else []
        return [json.loads(line) for line in lines]

    def query(self, sql: str, file: Path | None = None) -> list[tuple[Any, ...]]:
        """Ask the database itself, or another file; what is no database answers so."""
        with closing(sqlite3.connect(file or self.database)) as connection:
            try:
                return connection.execute(sql).fetchall()
            except sqlite3.DatabaseError as error:
                return [(str(error),)]

    def is_made(self) -> bool:
        """Whether the database holds the experiment."""
        if not self.database.exists():
            return False
        if not self.query("SELECT 1 FROM sqlite_master WHERE name = 'experiments'"):
            return False
        return bool(self.query(f"SELECT 1 FROM experiments WHERE name = '{NAME}'"))

    def stored(self) -> dict[int, Trial]:
        """Return the trials of the database."""
        if not self.is_made():
            return {}
        parameters: dict[int, dict[str, Any]] = {}
        for index, name, value in self.query(
            "SELECT trial_index, parameter, value FROM trial_parameters"
        ):
            parameters.setdefault(index, {})[name] = value
        values: dict[int, list[float]] = {}
        for index, mean in self.query(
            "SELECT trial_index, mean FROM observations ORDER BY trial_index, position"
        ):
            values.setdefault(index, []).append(mean)
        return {
            index: Trial(
                status,
                reason,
                parameters.get(index, {}),
                values.get(index, []),
            )
            for index, status, reason in self.query(
                "SELECT trial_index, status, reason FROM trials"
            )
        }

    def acknowledged(self) -> dict[int, list[float]]:
        """Return the values that axdesk said it had, by trial."""
        found = {}
        for ended in self.said:
            for event in ended.kinds("TrialChanged"):
                trial = event["trial"]
                if trial["observations"]:
                    found[trial["index"]] = [o["mean"] for o in trial["observations"]]
        return found

    # ---- judgement -------------------------------------------------------------------------------

    def judge(
        self,
        ended: Ended | None = None,
        *,
        codes: Iterable[int] = (DONE,),
        completed: int | None = None,
        points: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> Verdict:
        """Compare journal, acknowledgements and database.

        Args:
            ended: The last program, whose exit code must be one of `codes`.
            codes: Exit codes that are right.
            completed: How many trials must be completed; None for the whole budget.
            points: The parameters of each trial in a run that nothing disturbed.
        """
        verdict = Verdict()
        if ended is not None:
            judge_end(verdict, ended, codes)
        self._judge_file(verdict)
        stored = self.stored()
        self._judge_deployments(verdict, stored)
        self._judge_results(verdict, stored)
        done = sum(trial.status == "completed" for trial in stored.values())
        wanted = self.plan.trials if completed is None else completed
        if done != wanted:
            verdict.broken.append(f"{done} of {wanted} trials are completed")
        if len(stored) != self.plan.trials:
            verdict.broken.append(f"{len(stored)} trials in place of {self.plan.trials}")
        for index, trial in stored.items():
            if points is not None and trial.parameters != points.get(index):
                verdict.broken.append(f"trial {index} is at another point than undisturbed")
        return verdict

    def _judge_file(self, verdict: Verdict) -> None:
        if self.query("PRAGMA integrity_check") != [("ok",)]:
            verdict.broken.append("integrity_check found damage")
        if self.query("PRAGMA foreign_key_check"):
            verdict.broken.append("foreign_key_check found rows without parent")
        for backup in self.database.parent.glob(f"{self.database.name}.backups/*.sqlite"):
            if self.query("PRAGMA integrity_check", backup) != [("ok",)]:
                verdict.broken.append(f"the backup {backup.name} is damaged")

    def _judge_deployments(self, verdict: Verdict, stored: Mapping[int, Trial]) -> None:
        entries = self.deployed()
        for index, count in Counter(entry["trial"] for entry in entries).items():
            if count > 1:
                verdict.doubled.append(f"trial {index} was deployed {count} times")
        for entry in entries:
            index = entry["trial"]
            trial = stored.get(index)
            if trial is None or trial.status in _FORGOTTEN:
                status = "absent" if trial is None else trial.status
                verdict.lost.append(f"trial {index} was deployed and is {status}")
            elif dict(trial.parameters) != entry["parameters"]:
                verdict.lost.append(f"trial {index} was deployed at another point than stored")

    def _judge_results(self, verdict: Verdict, stored: Mapping[int, Trial]) -> None:
        for index, values in self.acknowledged().items():
            if index not in stored or list(stored[index].values) != values:
                verdict.lost.append(f"the acknowledged values {values} of trial {index}")
        for entry in self.deployed():
            trial = stored.get(entry["trial"])
            if trial is not None and set(trial.values) - {entry["value"]}:
                verdict.lost.append(f"trial {entry['trial']} has another trial's value")


def judge_end(verdict: Verdict, ended: Ended, codes: Iterable[int]) -> None:
    """Say what is wrong with how a program ended."""
    if ended.code is None:
        verdict.broken.append(f"did not end within {ended.seconds:.0f} s")
    elif ended.code not in codes:
        verdict.broken.append(f"exit code {ended.code}: {ended.last_words}")
    if "Traceback (most recent call last)" in ended.errors:
        verdict.broken.append(f"a traceback in place of a sentence: {ended.last_words}")
