"""The columns of a file that is imported: where its heads are, what they tell, in which unit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from axdesk.core.errors import UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import ChoiceParameterConfig, DerivedParameterConfig
from axdesk.core.trial_columns import ColumnRole, ColumnUse, DecimalSign
from axdesk.core.trial_import import FileCell, FileTable, ImportColumn, ImportSettings
from axdesk.exchange import units
from axdesk.exchange.column_uses import (
    IGNORED,
    guessed_uses,
    head_row_of,
    named_use,
    normal,
)
from axdesk.exchange.number_texts import decimal_sign, without_unit
from axdesk.exchange.units import Conversion

_SIGN_WORDS: Mapping[DecimalSign, str] = {"point": "decimal point", "comma": "decimal comma"}


@dataclass(frozen=True, slots=True)
class FileColumns:
    """The columns, and the rows below their heads.

    Attributes:
        head_row: Row of the heads, from 1; 0 for none.
        columns: In the file's order.
        decimals: The decimal sign of each column.
        conversions: Column → how its numbers are converted.
        data_rows: (number from 1, cells) of the rows below the heads that are not empty.
        problems: Why nothing can be imported.
        remarks: What is worth knowing.
    """

    head_row: int
    columns: tuple[ImportColumn, ...]
    decimals: tuple[DecimalSign, ...]
    conversions: Mapping[int, Conversion]
    data_rows: tuple[tuple[int, tuple[FileCell, ...]], ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]

    def has(self, role: ColumnRole) -> bool:
        """Whether a column tells this."""
        return any(column.use.role is role for column in self.columns)


def columns_of(experiment: Experiment, table: FileTable, settings: ImportSettings) -> FileColumns:
    """Return what the columns of a file tell.

    Raises:
        UserInputError: If the settings name a column or a use that there is not.
    """
    rows = table.rows
    head_row = _head_row(experiment, table, settings)
    heads = _heads(rows[head_row] if head_row >= 0 else (), _width(table, head_row))
    uses, found_units = _uses(experiment, table, settings, heads)
    first_data = head_row + 1
    row_of_units = _row_of_units(experiment, rows, first_data, uses)
    if row_of_units is not None:
        first_data += 1
        found_units = tuple(unit or row_of_units[column] for column, unit in enumerate(found_units))
    data_rows = tuple(
        (number, tuple(row))
        for number, row in enumerate(rows[first_data:], start=first_data + 1)
        if any(cell is not None and str(cell).strip() for cell in row)
    )
    columns, conversions = list[ImportColumn](), dict[int, Conversion]()
    for number, (head, use, unit) in enumerate(zip(heads, uses, found_units, strict=True)):
        column, conversion = _column(experiment, head, use, unit)
        columns.append(column)
        if conversion is not None:
            conversions[number] = conversion
    decimals, columns = _decimals(columns, data_rows, table, settings)
    return FileColumns(
        head_row + 1,
        tuple(columns),
        decimals,
        conversions,
        data_rows,
        _problems(experiment, columns),
        table.remarks,
    )


def _head_row(experiment: Experiment, table: FileTable, settings: ImportSettings) -> int:
    """Return the row of the heads, from 0; -1 for none."""
    if settings.head_row is not None:
        if not 0 <= settings.head_row <= len(table.rows):
            raise UserInputError(
                f"{table.name} has no row {settings.head_row}.", f"It has {len(table.rows)}."
            )
        return settings.head_row - 1
    return 0 if table.uses is not None else head_row_of(experiment, table.rows)


def _width(table: FileTable, head_row: int) -> int:
    if head_row >= 0 and table.delimiter == ",":
        return 0  # more cells than heads come of commas within numbers
    return max((len(row) for row in table.rows[max(head_row, 0) :]), default=0)


def _heads(row: Sequence[FileCell], width: int) -> tuple[str, ...]:
    cells = [*row, *[None] * (width - len(row))]
    return tuple(
        " ".join(str(cell).split()) if cell is not None else f"Column {_letters(number)}"
        for number, cell in enumerate(cells)
    )


def _letters(number: int) -> str:
    """Return the name that spreadsheets give a column."""
    letters, number = "", number + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _uses(
    experiment: Experiment, table: FileTable, settings: ImportSettings, heads: Sequence[str]
) -> tuple[tuple[ColumnUse, ...], tuple[str, ...]]:
    if table.uses is not None:
        uses, found = list(table.uses), [""] * len(heads)
        uses += [IGNORED] * (len(heads) - len(uses))
    else:
        guessed, units_of_heads = guessed_uses(experiment, heads)
        uses, found = list(guessed), list(units_of_heads)
    for number, unit in table.units.items():
        if number < len(found) and not found[number]:
            found[number] = unit
    _give_uses(experiment, settings, heads, uses)
    for number, unit in settings.units.items():
        if number < len(found):
            found[number] = unit
    return tuple(uses), tuple(found)


def _give_uses(
    experiment: Experiment, settings: ImportSettings, heads: Sequence[str], uses: list[ColumnUse]
) -> None:
    """Put what columns are said to tell in the place of what was guessed."""
    given = dict(settings.uses)
    for name, text in settings.named.items():
        given[_named_column(heads, name)] = named_use(experiment, text)
    for number, use in given.items():
        if number >= len(uses):
            raise UserInputError(f"There is no column {number + 1}.", f"There are {len(uses)}.")
        for other, guessed in enumerate(uses):
            if guessed == use and other not in given:
                uses[other] = IGNORED  # what a column is given, no other one tells by a guess
        uses[number] = use


def _named_column(heads: Sequence[str], name: str) -> int:
    exact = [number for number, head in enumerate(heads) if head == name]
    like = exact or [n for n, head in enumerate(heads) if normal(head) == normal(name)]
    if len(like) != 1:
        how_many = "no column" if not like else f"{len(like)} columns called"
        raise UserInputError(
            f"The file has {how_many} {name!r}.", f"Its columns: {', '.join(heads)}."
        )
    return like[0]


def _row_of_units(
    experiment: Experiment,
    rows: Sequence[Sequence[FileCell]],
    number: int,
    uses: Sequence[ColumnUse],
) -> tuple[str, ...] | None:
    """Return the units that the row below the heads has, if it is one of units."""
    if number == 0 or number >= len(rows):
        return None
    cells = [*rows[number], *[None] * (len(uses) - len(rows[number]))]
    texts = [cell.strip(" []()") if isinstance(cell, str) else cell for cell in cells]
    for text, use in zip(texts, uses, strict=False):
        if text is None or use == IGNORED:
            continue
        own = _own_unit(experiment, use)
        is_unit = isinstance(text, str) and (units.is_known(text) or units.is_same(text, own))
        if not is_unit and use.role in (ColumnRole.PARAMETER, ColumnRole.MEAN, ColumnRole.SEM):
            return None
        if isinstance(text, int | float):
            return None
    found = tuple(text if isinstance(text, str) else "" for text in texts[: len(uses)])
    is_any = any(
        text and use.role is not ColumnRole.IGNORED and units.is_known(text) and text != "1"
        for text, use in zip(found, uses, strict=True)
    )
    return found if is_any else None


def _own_unit(experiment: Experiment, use: ColumnUse) -> str:
    if use.role in (ColumnRole.MEAN, ColumnRole.SEM):
        return experiment.optimization.unit_of(use.name)
    if use.role is ColumnRole.PARAMETER and use.name in experiment.search_space.names:
        return experiment.search_space[use.name].unit
    return "s" if use.role is ColumnRole.DURATION else ""


def _column(
    experiment: Experiment, head: str, use: ColumnUse, unit: str
) -> tuple[ImportColumn, Conversion | None]:
    space = experiment.search_space
    if use.role is ColumnRole.PARAMETER:
        if use.name not in space.names:
            return ImportColumn(head, IGNORED, remark="The experiment has no such parameter."), None
        parameter = space[use.name]
        if isinstance(parameter, DerivedParameterConfig):
            told = f"{use.name} follows from others: {parameter.expression_str}."
            return ImportColumn(head, IGNORED, remark=told), None
        if isinstance(parameter, ChoiceParameterConfig) and not parameter.is_numeric:
            return ImportColumn(head, use), None
    elif use.role in (ColumnRole.MEAN, ColumnRole.SEM):
        if use.name not in experiment.optimization.metric_names:
            return ImportColumn(head, IGNORED, remark="The experiment has no such metric."), None
    elif use.role is not ColumnRole.DURATION:
        return ImportColumn(head, use), None
    return _with_unit(ImportColumn(head, use, unit, _own_unit(experiment, use)))


def _with_unit(column: ImportColumn) -> tuple[ImportColumn, Conversion | None]:
    unit, own = column.unit, column.own_unit
    if not unit or units.is_same(unit, own) or (unit == "1" and not own):
        return column, None
    conversion = units.conversion(unit, own)
    if conversion is not None:
        return replace(column, remark=f"Converted from {_unit_words(unit)} into {own}."), conversion
    has = f"the experiment has {own}" if own else "the experiment has no unit"
    told = f"The file has {_unit_words(unit)}, {has}: the numbers are taken as they are."
    return replace(column, remark=told, is_doubtful=True), None


def _unit_words(unit: str) -> str:
    return "fractions of 1" if unit == "1" else unit


# ---- decimal signs -------------------------------------------------------------------------------

_NUMBERS = (ColumnRole.PARAMETER, ColumnRole.MEAN, ColumnRole.SEM, ColumnRole.DURATION)


def _decimals(
    columns: Sequence[ImportColumn],
    rows: Sequence[tuple[int, tuple[FileCell, ...]]],
    table: FileTable,
    settings: ImportSettings,
) -> tuple[tuple[DecimalSign, ...], list[ImportColumn]]:
    """Return the decimal sign of each column, and the columns with what is doubtful about it."""
    result = list(columns)
    if settings.decimal is not None:
        return (settings.decimal,) * len(columns), result
    found = {
        number: decimal_sign(_texts(rows, number, column.unit))
        for number, column in enumerate(columns)
        if column.use.role in _NUMBERS
    }
    certain = {sign for sign, is_doubtful in found.values() if sign and not is_doubtful}
    usual: DecimalSign = "point"
    if len(certain) == 1:
        usual = certain.pop()
    elif not certain and table.delimiter == ";":
        usual = "comma"
    signs = list[DecimalSign]()
    for number, column in enumerate(columns):
        sign, is_doubtful = found.get(number, (None, False))
        if is_doubtful and (certain or table.delimiter == ";"):
            sign = usual
        signs.append(sign or usual)
        if is_doubtful and not column.remark:
            told = f"Numbers such as 1,234 are read with a {_SIGN_WORDS[signs[-1]]}."
            result[number] = replace(column, remark=told, is_doubtful=True)
    return tuple(signs), result


def _texts(
    rows: Sequence[tuple[int, tuple[FileCell, ...]]], column: int, unit: str
) -> Iterator[str]:
    for _, row in rows:
        cell = row[column] if column < len(row) else None
        if isinstance(cell, str):
            for part in cell.replace("+/-", "±").replace("+-", "±").split("±"):
                yield without_unit(part, unit)


def _problems(experiment: Experiment, columns: Sequence[ImportColumn]) -> tuple[str, ...]:
    """Return why no row at all can become a trial."""
    used = {column.use for column in columns}
    space = experiment.search_space
    missing = [
        p.name
        for p in space.tunable
        if not p.is_fixed
        and p.name not in space.parents
        and ColumnUse(ColumnRole.PARAMETER, p.name) not in used
    ]
    twice = [use for use in used - {IGNORED} if sum(c.use == use for c in columns) > 1]
    told = [f"No column tells {name}." for name in missing]
    told += [f"Two columns tell {use.name or use.role.value}." for use in twice]
    return tuple(told)
