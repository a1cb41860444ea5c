"""Tables as laboratories have them: text of any spreadsheet, Excel workbooks, JSON, a clipboard."""

import codecs
import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from axdesk.core.errors import UserInputError
from axdesk.core.trial_columns import ColumnRole, ColumnUse
from axdesk.core.trial_import import CellFault, FileCell, FileTable, ReadSettings
from axdesk.exchange.delimited import unguarded
from axdesk.exchange.trials_export import FORMAT, VERSION
from axdesk.exchange.workbook_reader import read_workbook

DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}
"""Between cells, in the order in which they are tried, with their names."""

ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 (little endian)",
    "utf-16-be": "UTF-16 (big endian)",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
}
"""How texts are read, with their names."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_MOST_BYTES = 200_000_000
_LOOKED_AT = 50
_NUMBER = re.compile(r"\s*[+-]?[\d.,]+(?:[eE][+-]?\d+)?[^\d.,;|\t]{0,8}")


def read_table(
    path: Path,
    settings: ReadSettings | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> FileTable:
    """Read a file: a workbook, JSON, or text with separated cells, by what is in it.

    Args:
        path: The file.
        settings: What is not to be found out.
        is_cancelled: Asked now and then; reading is given up if it says so.

    Raises:
        UserInputError: If the file cannot be read, or is none of these.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= _MOST_BYTES else b""
    except (OSError, ValueError) as error:  # no path has a zero byte
        why = error.strerror if isinstance(error, OSError) else error
        raise UserInputError(
            f"The file {path} cannot be read: {why}.", "Choose another file."
        ) from error
    if size > _MOST_BYTES:
        raise UserInputError(
            f"The file {path} has {size / 1e6:.0f} MB, which is too much.",
            f"Split it: a file may have {_MOST_BYTES / 1e6:.0f} MB.",
        )
    return read_content(path.name, content, settings, is_cancelled)


def read_content(
    name: str,
    content: bytes,
    settings: ReadSettings | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> FileTable:
    """Read what stands in a file; see `read_table`.

    Args:
        name: Of the file, as it is shown.
        content: Of it.
        settings: What is not to be found out.
        is_cancelled: Asked now and then; reading is given up if it says so.

    Raises:
        UserInputError: If it is no table.
    """
    settings = settings or ReadSettings()
    if content.startswith(_OLD_OFFICE):
        raise UserInputError(
            f"The file {name} is an old Excel workbook (.xls), or has a password.",
            "Save it as an Excel workbook (.xlsx) without a password, or as CSV.",
        )
    if content.startswith(_ZIP):
        return read_workbook(name, content, settings.sheet, is_cancelled)
    text, encoding = _decoded(name, content, settings.encoding)
    return read_text(name, text, settings, encoding)


def read_text(
    name: str, text: str, settings: ReadSettings | None = None, encoding: str = ""
) -> FileTable:
    """Read a text, such as that of the clipboard: JSON, or separated cells.

    Args:
        name: Of the file, as it is shown.
        text: Of it.
        settings: What is not to be found out.
        encoding: That it had.

    Raises:
        UserInputError: If it is no table.
    """
    settings = settings or ReadSettings()
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        return _of_json(name, text)
    delimiter, text = _delimiter(text, settings.delimiter)
    try:
        rows = list(_rows(text, delimiter))
    except csv.Error as error:
        raise UserInputError(f"{name} cannot be read: {error}.", "Save it anew.") from error
    remarks = () if encoding != "cp1252" or settings.encoding else (
        "The text is no UTF-8 and was read as Windows-1252; look at its special characters.",
    )  # fmt: skip
    cells = tuple(tuple(_text_cell(cell) for cell in row) for row in rows)
    return FileTable(name, cells, encoding, delimiter, remarks=remarks)


def _text_cell(cell: str) -> FileCell:
    return unguarded(cell) or None


def _decoded(name: str, content: bytes, encoding: str) -> tuple[str, str]:
    tried = [encoding] if encoding else [_encoding_by_mark(content), "cp1252"]
    for one in tried:
        try:
            return content.decode(one), one
        except LookupError:
            raise UserInputError(
                f"There is no encoding {one!r}.", "Use such as utf-8, utf-16 or cp1252."
            ) from None
        except ValueError:  # as every UnicodeError is
            continue
    raise UserInputError(
        f"The file {name} is no text in {' or '.join(ENCODINGS.get(one, one) for one in tried)}.",
        "Save it as CSV (UTF-8) or as an Excel workbook.",
    )


def _encoding_by_mark(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    head = content[:4096]
    if b"\0" in head:  # half of the bytes of latin letters are zeros, and it says which half
        return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
    return "utf-8-sig"


def _delimiter(text: str, given: str) -> tuple[str, str]:
    """Return the delimiter, and the text without a line that tells it, as Excel writes one."""
    first, _, rest = text.partition("\n")
    if first.strip().strip('"').casefold().startswith("sep=") and len(first.strip()) <= 8:
        mark = first.strip("\r\n").strip('"')[4:5]
        return given or mark or "\t", rest
    if given:
        return given, text
    found = {delimiter: _fit(text, delimiter) for delimiter in DELIMITERS}
    # The first of equals: with decimal commas a file may have as many commas as semicolons.
    best = max(DELIMITERS, key=lambda delimiter: found[delimiter])
    return (best, text) if any(found[best]) else (",", text)


def _fit(text: str, delimiter: str) -> tuple[float, float]:
    """Return how well a delimiter parts a text: by rows of one width, and by whole numbers."""
    try:
        rows = [row for row, _ in zip(_rows(text, delimiter), range(_LOOKED_AT), strict=False)]
    except csv.Error:
        return (0.0, 0.0)
    widths = Counter(len(row) for row in rows if any(row))
    width, count = max(widths.items(), key=lambda found: (found[0] > 1, found[1]), default=(0, 0))
    if width < 2:
        return (0.0, 0.0)
    share = count / sum(widths.values())
    cells = [cell for row in rows for cell in row if cell]
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in cells) / len(cells)
    # Where a delimiter cuts numbers in two, fewer of the cells are numbers.
    return (share**2 * numbers**2 * math.log(width), share)


def _rows(text: str, delimiter: str) -> Any:
    if len(delimiter) != 1:
        raise UserInputError(f"{delimiter!r} cannot part cells.", "Give one character.")
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)


# ---- JSON ----------------------------------------------------------------------------------------


def _of_json(name: str, text: str) -> FileTable:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserInputError(f"{name} is no JSON: {error}.", "Take an unchanged copy.") from error
    if isinstance(content, dict) and content.get("format") == FORMAT:
        return _of_ours(name, content)
    rows = content.get("trials") if isinstance(content, dict) else content
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise UserInputError(
            f"{name} is JSON, but no list of trials.",
            'It may be what an export wrote, or such as [{"Temperature": 80, "Yield": 71.5}, …].',
        )
    heads = tuple(dict.fromkeys(str(key) for row in rows for key in row))
    return FileTable(
        name, (heads, *(tuple(_plain(row.get(head)) for head in heads) for row in rows))
    )


def _plain(value: object) -> FileCell:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case _:
            return CellFault(json.dumps(value), "is no single value")


_JSON_COLUMNS: Mapping[str, ColumnRole] = {
    "trial": ColumnRole.TRIAL,
    "arm": ColumnRole.ARM,
    "status": ColumnRole.STATUS,
    "source": ColumnRole.SOURCE,
    "started": ColumnRole.STARTED,
    "finished": ColumnRole.FINISHED,
    "duration": ColumnRole.DURATION,
    "excluded": ColumnRole.EXCLUDED,
    "reason": ColumnRole.REASON,
    "note": ColumnRole.NOTE,
}


def _of_ours(name: str, content: Mapping[str, Any]) -> FileTable:
    if content.get("version") != VERSION:
        raise UserInputError(
            f"{name} has the version {content.get('version')!r}; this axdesk reads {VERSION}.",
            "Read it with the axdesk that wrote it, or a newer one.",
        )
    trials = content.get("trials")
    if not (isinstance(trials, list) and all(_is_trial(one) for one in trials)):
        raise UserInputError(f"The trials of {name} are not as an export writes them.")
    parameters = _names(one["parameters"] for one in trials)
    metrics = _names(one["metrics"] for one in trials)
    uses = [ColumnUse(role) for role in _JSON_COLUMNS.values()]
    uses += [ColumnUse(ColumnRole.PARAMETER, one) for one in parameters]
    uses += [ColumnUse(role, metric) for metric in metrics for role in _PARTS]
    heads = (
        *_JSON_COLUMNS,
        *parameters,
        *(f"{metric} {part.value}" for metric in metrics for part in _PARTS),
    )
    units = {
        (role, str(one.get("name"))): str(one.get("unit") or "")
        for key, role in (("parameters", ColumnRole.PARAMETER), ("metrics", ColumnRole.MEAN))
        for one in content.get(key, ())
        if isinstance(one, dict)
    }
    rows = [
        (
            *(_plain(one.get(key)) for key in _JSON_COLUMNS),
            *(_plain(one["parameters"].get(parameter)) for parameter in parameters),
            *(
                _plain(one["metrics"].get(metric, {}).get(part.value))
                for metric in metrics
                for part in _PARTS
            ),
        )
        for one in trials
    ]
    return FileTable(
        name, (heads, *rows), units=dict(enumerate(_units_of(uses, units))), uses=tuple(uses)
    )


_PARTS = (ColumnRole.MEAN, ColumnRole.SEM)


def _units_of(uses: list[ColumnUse], units: Mapping[tuple[ColumnRole, str], str]) -> list[str]:
    kinds = {ColumnRole.SEM: ColumnRole.MEAN}
    return [units.get((kinds.get(use.role, use.role), use.name), "") for use in uses]


def _is_trial(one: object) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("parameters"), dict)
        and isinstance(one.get("metrics"), dict)
        and all(isinstance(value, dict) for value in one["metrics"].values())
    )


def _names(groups: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))
