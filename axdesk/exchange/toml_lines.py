"""Where in a TOML text each table and key stands, which `tomllib` does not tell."""

import re
import tomllib
from typing import Any

Place = tuple[str | int, ...]
"""Keys and positions in lists, such as `("parameters", 2, "low")`."""

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_KEY = re.compile(rf"\s*({_DOTTED})[ \t]*=(.*)")
_BLOCK_QUOTES = ('"""', "'''")


def lines_of(text: str) -> dict[Place, int]:
    """Return place → line number from 1, of every table and key of a valid TOML text."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    open_quote = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if open_quote:
            if line.count(open_quote) % 2:
                open_quote = ""
            continue
        if header := _HEADER.match(line):
            table = _entered(_keys(header[2]), counts, is_list=header[1] == "[[")
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(table + _keys(key[1]), number)
            open_quote = next((q for q in _BLOCK_QUOTES if key[2].count(q) % 2), "")
    return lines


def nearest_line(lines: dict[Place, int], place: Place) -> int | None:
    """Return the line of a place, or of the closest thing around it; None if there is none."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)


def _keys(dotted: str) -> Place:
    keys: list[str] = []
    node: Any = tomllib.loads(f"{dotted} = 0")
    while isinstance(node, dict):
        key, node = next(iter(node.items()))
        keys.append(key)
    return tuple(keys)


def _entered(keys: Place, counts: dict[Place, int], *, is_list: bool) -> Place:
    """Return a header's place; a list on the way stands for its latest entry."""
    place: Place = ()
    for depth, key in enumerate(keys, start=1):
        place = (*place, key)
        if is_list and depth == len(keys):
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place
