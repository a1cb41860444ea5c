"""Reading the rows of an SQLite file page by page, without SQLite, which gives up where we go on.

The format is https://www.sqlite.org/fileformat2.html. A row that is not certainly one is left out.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

MAGIC = b"SQLite format 3\0"
Values = tuple[int | float | str | bytes | None, ...]
RowCheck = Callable[[int | None, Values], bool]
"""Whether the row of that number (None in a table without row numbers) may be one of the table."""

_USUAL_PAGE_SIZE = 4096
_INTERIOR_INDEX, _INTERIOR_TABLE, _LEAF_INDEX, _LEAF_TABLE = 2, 5, 10, 13
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)


@dataclass(slots=True)
class Tree:
    """What was found of a table.

    Attributes:
        rows: (row number or None, values) of each row.
        lost: Rows that are certainly there and cannot be read.
        is_torn: Whether pages of it are missing, with who knows how many rows.
    """

    rows: list[tuple[int | None, Values]] = field(default_factory=list)
    lost: int = 0
    is_torn: bool = False


class Pages:
    """The pages of a file.

    Attributes:
        content: The file.
        has_header: Whether the file says how it is built; if not, the usual is assumed.
    """

    def __init__(self, content: bytes) -> None:
        size = int.from_bytes(content[16:18], "big")
        size = 65536 if size == 1 else size
        self.has_header = (
            content.startswith(MAGIC) and 512 <= size <= 65536 and size & (size - 1) == 0
        )
        self.content = content
        self._size = size if self.has_header else _USUAL_PAGE_SIZE
        self._seen: set[int] = set()

    def tree(self, root: int, *, has_row_numbers: bool, is_row: RowCheck) -> Tree:
        """Read all rows below a page that no other tree has."""
        found = Tree()
        leaf = _LEAF_TABLE if has_row_numbers else _LEAF_INDEX
        waiting = [root]
        while waiting:
            number = waiting.pop()
            kind = self._kind(number)
            if number in self._seen or kind is None:
                found.is_torn = True
                continue
            self._seen.add(number)
            interior = _INTERIOR_TABLE if has_row_numbers else _INTERIOR_INDEX
            if kind == interior:
                waiting += self._children(number)
            elif kind != leaf:
                # Its kind may be all that is damaged; a page of another kind has no such rows.
                found.is_torn = True
            if kind != _INTERIOR_TABLE:
                self._read_rows(number, leaf, kind == interior, is_row, found)
        return found

    def skip_free_pages(self) -> None:
        """Leave the pages alone that the file says to be unused."""
        trunk = int.from_bytes(self.content[32:36], "big") if self.has_header else 0
        while trunk not in self._seen and (page := self._page(trunk)):
            self._seen.add(trunk)
            trunk, count = struct.unpack(">II", page[:8])
            listed = page[8 : 8 + 4 * min(count, self._size // 4 - 2)]
            self._seen.update(number for (number,) in struct.iter_unpack(">I", listed))

    def stray_leaves(self) -> Iterator[int]:
        """Return the pages with rows that no tree has led to."""
        for number in range(2, len(self.content) // self._size + 1):
            if number not in self._seen and self._kind(number) in (_LEAF_INDEX, _LEAF_TABLE):
                yield number

    def _page(self, number: int) -> bytes:
        """Return a page, empty if the file has none of this number."""
        page = self.content[(number - 1) * self._size : number * self._size] if number > 0 else b""
        return page if len(page) == self._size else b""

    def _kind(self, number: int) -> int | None:
        page = self._page(number)
        return page[_start(number)] if page else None

    def _cells(self, number: int, *, is_interior: bool) -> Iterator[int]:
        """Return where the cells of a page begin; 0 for a place that cannot be."""
        page, start = self._page(number), _start(number)
        pointers = start + (12 if is_interior else 8)
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        for n in range(min(count, (self._size - pointers) // 2)):
            at = int.from_bytes(page[pointers + 2 * n : pointers + 2 * n + 2], "big")
            yield at if pointers <= at < self._size else 0

    def _children(self, number: int) -> Iterator[int]:
        page, start = self._page(number), _start(number)
        yield int.from_bytes(page[start + 8 : start + 12], "big")
        for at in self._cells(number, is_interior=True):
            yield int.from_bytes(page[at : at + 4], "big") if at else 0

    def _read_rows(
        self, number: int, leaf: int, is_interior: bool, is_row: RowCheck, found: Tree
    ) -> None:
        page, lost, count = self._page(number), 0, len(found.rows)
        for at in self._cells(number, is_interior=is_interior):
            try:
                row = self._row(page, at + 4 if is_interior else at, leaf) if at else None
            except (IndexError, ValueError, struct.error):
                row = None
            if row is not None and is_row(*row):
                found.rows.append(row)
            else:
                lost += 1
        if lost and len(found.rows) == count:
            # How many there were is as damaged as they are.
            found.is_torn = True
        else:
            found.lost += lost

    def _row(self, page: bytes, at: int, leaf: int) -> tuple[int | None, Values]:
        size, at = _varint(page, at)
        row_number = None
        limit = (self._size - 12) * 64 // 255 - 23
        if leaf == _LEAF_TABLE:
            row_number, at = _varint(page, at)
            limit = self._size - 35
        return row_number, _values(self._payload(page, at, size, limit))

    def _payload(self, page: bytes, at: int, size: int, limit: int) -> bytes:
        if size > len(self.content):
            raise ValueError(size)
        if size <= limit:
            return page[at : at + size]
        least = (self._size - 12) * 32 // 255 - 23
        local = least + (size - least) % (self._size - 4)
        local = local if local <= limit else least
        parts = [page[at : at + local]]
        following = int.from_bytes(page[at + local : at + local + 4], "big")
        missing = size - local
        while missing > 0:
            overflow = self._page(following)
            if not overflow:
                raise ValueError(following)
            following = int.from_bytes(overflow[:4], "big")
            parts.append(overflow[4 : min(self._size, 4 + missing)])
            missing -= len(parts[-1])
        return b"".join(parts)


def _start(number: int) -> int:
    # The file's header stands in the first page.
    return 100 if number == 1 else 0


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of one to nine bytes, and where it ends."""
    value = 0
    for n in range(8):
        byte = data[at + n]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + n + 1
    value = value << 8 | data[at + 8]
    return value - (1 << 64) if value >= 1 << 63 else value, at + 9


def _values(record: bytes) -> Values:
    header_size, at = _varint(record, 0)
    kinds = []
    while at < header_size:
        kind, at = _varint(record, at)
        kinds.append(kind)
    values: list[int | float | str | bytes | None] = []
    for kind in kinds:
        value, at = _value(record, at, kind)
        values.append(value)
    if at != len(record):
        raise ValueError(at)
    return tuple(values)


def _value(record: bytes, at: int, kind: int) -> tuple[int | float | str | bytes | None, int]:
    match kind:
        case 0:
            return None, at
        case 7:
            return struct.unpack(">d", record[at : at + 8])[0], at + 8
        case 8 | 9:
            return kind - 8, at
        case _ if 0 < kind < len(_INTEGER_BYTES):
            end = at + _INTEGER_BYTES[kind]
            return int.from_bytes(record[at:end], "big", signed=True), end
        case _ if kind >= 12:
            end = at + (kind - 12) // 2
            return record[at:end].decode() if kind % 2 else record[at:end], end
        case _:
            raise ValueError(kind)
