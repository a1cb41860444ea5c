"""Saving what can be read of a damaged database into a new, sound one."""

import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from axdesk.core.errors import NotFoundError, StorageError, UserInputError
from axdesk.core.run import RunSettings
from axdesk.core.setup import GenerationSettings
from axdesk.core.trial import TrialSource, TrialStatus
from axdesk.storage.backups import Backup, newest_sound_backup
from axdesk.storage.checks import all_damage, belongs
from axdesk.storage.engine import engine_on
from axdesk.storage.experiment_rows import read_experiment
from axdesk.storage.failures import storage_error
from axdesk.storage.files import JOURNALS, beside, put
from axdesk.storage.pages import Pages, Tree, Values
from axdesk.storage.row_checks import has_row_numbers, row_check, row_number_column
from axdesk.storage.schema import Base
from axdesk.storage.settings_rows import settings_columns

_CHUNK = 4096
_RESULT_LOST = "Its result is lost with the damaged database."
_TABLES = Base.metadata.sorted_tables
# What stands in these replaces what stood there before: rows of two times do not go together.
_REPLACED_AS_A_WHOLE = frozenset(
    (
        "generation_settings",
        "run_settings",
        "metrics",
        "objective_terms",
        "outcome_constraints",
        "outcome_constraint_terms",
        "plugin_choices",
        "plugin_options",
        "drafts",
        "passed_tests",
    )
)


@dataclass(frozen=True, slots=True)
class SalvagedTable:
    """What became of a table.

    Attributes:
        name: Which.
        rows_read: Rows in the new database that the damaged one held.
        rows_lost: Rows that were there and could not be read, or belonged to rows that could not.
        rows_from_backup: Rows in the new database that the newest sound backup held.
    """

    name: str
    rows_read: int
    rows_lost: int
    rows_from_backup: int = 0


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What came back.

    Attributes:
        target: The new database.
        tables: What became of each table.
        experiments: Experiments in the new database, drafts not counted.
        trials: Trials in the new database.
        remarks: What the operator should know, a sentence each.
    """

    target: Path
    tables: tuple[SalvagedTable, ...]
    experiments: int
    trials: int
    remarks: tuple[str, ...]

    @property
    def rows_read(self) -> int:
        """Rows that came back from the damaged database."""
        return sum(table.rows_read for table in self.tables)

    @property
    def rows_lost(self) -> int:
        """Rows that were certainly there and did not come back."""
        return sum(table.rows_lost for table in self.tables)


def salvage(path: Path, target: Path) -> SalvageReport:
    """Save what can be read of a damaged database into a new one, which is sound.

    Rows are read page by page; what is missing then is taken from the newest sound backup, and rows
    that would belong to nothing are left out. SQLite keeps no checksums: a value whose bytes were
    changed without harming the structure around them comes back changed.

    Args:
        path: The damaged database; it is only read.
        target: The new database; must not exist yet.

    Raises:
        UserInputError: If `target` exists.
        NotFoundError: If `path` does not exist.
        StorageError: If `path` holds nothing of axdesk, or a file cannot be read or written.
    """
    if target.exists():
        raise UserInputError(f"The file {target} exists already.", "Choose another name.")
    unfinished = beside(target, ".part")
    try:
        unfinished.unlink(missing_ok=True)
        content = _settled_content(path)
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            report = _Salvage(connection, content, path, target).carried_out()
        put(unfinished, target)
    except sqlite3.Error as error:
        raise storage_error(str(target), error) from error
    except OSError as error:
        raise StorageError(
            f"The database {path} cannot be salvaged into {target}: {error}.",
            "Check that the one can be read and the other be written.",
            is_temporary=True,
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return report


class _Salvage:
    """The filling of one new database."""

    def __init__(
        self, connection: sqlite3.Connection, content: bytes, path: Path, target: Path
    ) -> None:
        self._new = connection
        self._pages = Pages(content)
        self._path = path
        self._target = target
        self._remarks: list[str] = []
        self._read: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        self._from_backup: dict[str, int] = {}

    def carried_out(self) -> SalvageReport:
        # Alembic takes longer to import than everything else here together.
        from axdesk.storage.migrate import upgrade
        from axdesk.storage.migrations import MIGRATIONS

        upgrade(self._new, MIGRATIONS)
        trees = self._trees()
        if not any(tree.rows for tree in trees.values()):
            raise StorageError(
                f"Nothing of an axdesk database can be read in {self._path}.",
                "Restore a backup, or choose another file.",
            )
        self._new.execute("BEGIN")
        for table in _TABLES:
            self._keep(table, trees[table.name])
        backup = newest_sound_backup(self._path)
        hurt = [table for table in _TABLES if trees[table.name].is_torn or self._lost[table.name]]
        if hurt and backup is not None:
            self._complete(hurt, backup)
        self._stand_in_for_lost_parents([table.name for table in hurt])
        self._open_trials_without_result()
        self._drop_orphans()
        self._new.execute("COMMIT")
        if damage := all_damage(self._new):
            raise StorageError(f"The new database {self._target} is not sound: {damage[0]}.")
        return self._report(hurt)

    def _trees(self) -> dict[str, Tree]:
        """Read each table from where the file says that it begins, or from where it should."""
        roots = dict(
            self._new.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'")
        )
        if not self._pages.has_header:
            self._remarks.append(
                "The beginning of the file is damaged; it was read as axdesk usually writes it."
            )
        schema = self._pages.tree(1, has_row_numbers=True, is_row=lambda _, row: len(row) == 5)
        if schema.lost or schema.is_torn:
            self._remarks.append(
                "The list of tables is damaged; they were looked for where axdesk puts them."
            )
        found = {
            name: root
            for _, (kind, name, _, root, _) in schema.rows
            if kind == "table" and isinstance(root, int)
        }
        # A table that a sound list does not name is newer than the file.
        is_doubtful = bool(schema.lost or schema.is_torn or not found)
        trees = {
            table.name: self._pages.tree(
                found.get(table.name, roots[table.name]),
                has_row_numbers=has_row_numbers(table),
                is_row=row_check(table),
            )
            if is_doubtful or table.name in found
            else Tree()
            for table in _TABLES
        }
        self._pages.skip_free_pages()
        torn = [table for table in _TABLES if trees[table.name].is_torn]
        # Values that were run otherwise than planned are rare, and look as planned ones do.
        torn.sort(key=lambda table: table.name == "executed_parameters")
        for page in [*self._pages.stray_leaves()] if torn else []:
            self._adopt(page, torn, trees)
        return trees

    def _adopt(self, page: int, torn: list[sa.Table], trees: dict[str, Tree]) -> None:
        """Give the rows of a page that nothing leads to any more to the table that they fit."""
        for table in torn:
            pages = Pages(self._pages.content)
            leaf = pages.tree(page, has_row_numbers=has_row_numbers(table), is_row=row_check(table))
            if leaf.rows and len(leaf.rows) > leaf.lost:
                trees[table.name].rows += leaf.rows
                trees[table.name].lost += leaf.lost
                return

    def _keep(self, table: sa.Table, tree: Tree) -> None:
        alias = row_number_column(table)
        kept = 0
        for number, values in tree.rows:
            row = values if alias is None else (*values[:alias], number, *values[alias + 1 :])
            kept += self._insert(table, row)
        self._read[table.name] = kept
        self._lost[table.name] = tree.lost + len(tree.rows) - kept
        self._from_backup[table.name] = 0

    def _complete(self, hurt: list[sa.Table], backup: Backup) -> None:
        """Take what is missing from a backup, of experiments that still exist."""
        with closing(sqlite3.connect(backup.path)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            for table in hurt:
                if table.name not in names:
                    continue  # newer than the backup
                rows = connection.execute(f"SELECT * FROM {table.name}").fetchall()
                known = {i for (i,) in self._new.execute("SELECT id FROM experiments")}
                of_experiment: dict[int, list[Values]] = {}
                for row in rows:
                    experiment_id = row[_experiment_column(table)]
                    if table.name == "experiments" or experiment_id in known:
                        of_experiment.setdefault(experiment_id, []).append(row)
                for experiment_id, of_one in of_experiment.items():
                    self._complete_one(table, experiment_id, of_one)
        if any(self._from_backup.values()):
            self._remarks.append(
                f"What is missing was taken from the backup of {backup.made_at:%Y-%m-%d %H:%M} "
                "UTC where that has it: check the set-ups, and trials that went on since then."
            )

    def _complete_one(self, table: sa.Table, experiment_id: int, rows: list[Values]) -> None:
        if table.name in _REPLACED_AS_A_WHOLE:
            where = f"FROM {table.name} WHERE experiment_id = ?"
            ((present,),) = self._new.execute(f"SELECT count(*) {where}", [experiment_id])
            if present >= len(rows):
                return
            self._new.execute(f"DELETE {where}", [experiment_id])
            self._read[table.name] -= present
            self._lost[table.name] += present
        self._from_backup[table.name] += sum(self._insert(table, row) for row in rows)

    def _stand_in_for_lost_parents(self, hurt: list[str]) -> None:
        """Keep what belongs to an experiment, a version or a run that is lost."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        made = 0
        if "experiments" in hurt:
            made = self._new.execute(
                "INSERT INTO experiments (id, name, description, owner, plugin_folder, created_at, "
                "updated_at) SELECT DISTINCT experiment_id, 'rescued ' || experiment_id, '', '', "
                "'', ?1, ?1 FROM objective_terms "
                "WHERE experiment_id NOT IN (SELECT id FROM experiments)",
                [now],
            ).rowcount
        if made:
            self._remarks.append(f"The names of {made} experiments are lost.")
        generation = asdict(GenerationSettings())
        for table, columns in (
            ("generation_settings", generation),
            ("run_settings", settings_columns(RunSettings())),
        ):
            names, marks = ", ".join(columns), ", ".join("?" * len(columns))
            usual = self._new.execute(
                f"INSERT INTO {table} (experiment_id, {names}) SELECT id, {marks} FROM experiments "
                f"WHERE name IS NOT NULL AND id NOT IN (SELECT experiment_id FROM {table})",
                [*columns.values()],
            ).rowcount
            if usual:
                self._remarks.append(f"{usual} experiments have the usual {table} now: check them.")
        self._new.execute(
            "INSERT OR IGNORE INTO search_spaces SELECT DISTINCT experiment_id, version, ? FROM "
            "(SELECT experiment_id, version FROM parameters UNION "
            "SELECT experiment_id, search_space_version FROM trials)",
            [now],
        )
        self._new.execute(
            "UPDATE trials SET run_index = NULL WHERE run_index IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM runs r WHERE r.experiment_id = trials.experiment_id "
            "AND r.run_index = trials.run_index)"
        )
        if "trials" in hurt:
            self._remake_trials()

    def _remake_trials(self) -> None:
        made = self._new.execute(
            "INSERT INTO trials (experiment_id, trial_index, arm_name, status, reason, "
            "search_space_version, may_have_started, is_excluded, note, elapsed_seconds, source, "
            "fit_seconds, search_seconds, observed_trials, generation_reason) "
            "SELECT DISTINCT p.experiment_id, p.trial_index, p.trial_index || '_0', ?, '', "
            "(SELECT max(version) FROM search_spaces s WHERE s.experiment_id = p.experiment_id), "
            "1, 0, '', 0.0, ?, 0.0, 0.0, 0, '' FROM trial_parameters p JOIN experiments e "
            "ON e.id = p.experiment_id WHERE NOT EXISTS (SELECT 1 FROM trials t "
            "WHERE t.experiment_id = p.experiment_id AND t.trial_index = p.trial_index)",
            [TrialStatus.COMPLETED, TrialSource.MANUAL],
        ).rowcount
        if made:
            self._remarks.append(
                f"Of {made} trials the parameters and results are all that is left."
            )

    def _open_trials_without_result(self) -> None:
        opened = self._new.execute(
            "UPDATE trials SET status = ?, reason = ? WHERE status = ? AND NOT EXISTS "
            "(SELECT 1 FROM observations o WHERE o.experiment_id = trials.experiment_id "
            "AND o.trial_index = trials.trial_index)",
            [TrialStatus.FAILED, _RESULT_LOST, TrialStatus.COMPLETED],
        ).rowcount
        if opened:
            self._remarks.append(
                f"The results of {opened} trials are lost; they are failed, so that results can "
                "be entered."
            )

    def _drop_orphans(self) -> None:
        for table in _TABLES:
            for key in table.foreign_key_constraints:
                pairs = [(e.parent.name, e.column.name) for e in key.elements]
                matches = " AND ".join(f"p.{theirs} = c.{ours}" for ours, theirs in pairs)
                named = " AND ".join(f"c.{ours} IS NOT NULL" for ours, _ in pairs)
                dropped = self._new.execute(
                    f"DELETE FROM {table.name} AS c WHERE {named} AND NOT EXISTS "
                    f"(SELECT 1 FROM {key.referred_table.name} p WHERE {matches})"
                ).rowcount
                self._read[table.name] -= dropped
                self._lost[table.name] += dropped

    def _insert(self, table: sa.Table, row: Values) -> int:
        """Insert a row that may lack the newest columns; return 0 if its place is taken."""
        columns = ", ".join(column.name for column in [*table.columns][: len(row)])
        marks = ", ".join("?" * len(row))
        statement = f"INSERT OR IGNORE INTO {table.name} ({columns}) VALUES ({marks})"
        return self._new.execute(statement, row).rowcount

    def _report(self, hurt: list[sa.Table]) -> SalvageReport:
        named = "SELECT id, name FROM experiments WHERE name IS NOT NULL"
        openable = 0
        with engine_on(self._new).connect() as connection:
            for experiment_id, name in self._new.execute(named).fetchall():
                try:
                    read_experiment(connection, experiment_id)
                    openable += 1
                except StorageError as error:
                    self._remarks.append(f"Experiment {name!r} cannot be opened: {error.message}")
        if hurt:
            tables = ", ".join(table.name for table in hurt)
            self._remarks.append(f"The damage is in: {tables}.")
        ((trials,),) = self._new.execute("SELECT count(*) FROM trials")
        return SalvageReport(
            target=self._target,
            tables=tuple(
                SalvagedTable(
                    t.name, self._read[t.name], self._lost[t.name], self._from_backup[t.name]
                )
                for t in _TABLES
            ),
            experiments=openable,
            trials=trials,
            remarks=tuple(self._remarks),
        )


def _experiment_column(table: sa.Table) -> int:
    return [*table.columns.keys()].index("id" if table.name == "experiments" else "experiment_id")


def _settled_content(path: Path) -> bytes:
    """Return a database's file as it is once an interrupted change is finished or undone."""
    if not path.is_file():
        raise NotFoundError(f"There is no database {path}.")
    content = _content(path)
    leftovers = [name for name in JOURNALS if beside(path, name).is_file() and belongs(path, name)]
    if not leftovers:
        return content
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(content)
        for name in leftovers:
            beside(copy, name).write_bytes(_content(beside(path, name)))
        # What is too damaged for that is read as it is.
        with suppress(sqlite3.Error), closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            connection.execute("PRAGMA user_version").fetchall()
        return copy.read_bytes()


def _content(path: Path) -> bytes:
    """Return a file, with zeros where the disk gives nothing."""
    parts = []
    with path.open("rb", buffering=0) as file:
        for at in range(0, path.stat().st_size, _CHUNK):
            try:
                file.seek(at)
                parts.append(file.read(_CHUNK))
            except OSError:
                parts.append(bytes(_CHUNK))
    return b"".join(parts)
