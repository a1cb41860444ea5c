"""Family 9: the database is damaged, replaced or cannot be written while axdesk is not running."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path

from tests.faults.cases import Bench, Case, Verdict
from tests.faults.laboratory import DONE, NOT_VALID, USAGE, Laboratory, judge_end
from tests.faults.machine import small_disk

PAGE = 4096
NOISE = bytes((37 * i + 11) % 256 for i in range(PAGE))

Damage = Callable[[Path], None]


def cases() -> Iterator[Case]:
    """Give every damage."""
    refused: dict[str, Damage] = {
        "header overwritten": partial(_overwrite, 0, NOISE[:64]),
        "one byte of the header's name": partial(_overwrite, 5, b"x"),
        "page size in the header": partial(_overwrite, 16, b"\x00\x03"),
        "first page overwritten behind the header": partial(_overwrite, 100, NOISE[:2000]),
        "a page of a table overwritten": _overwrite_a_table,
        "cut to whole pages": partial(_cut, 10 * PAGE),
        "cut behind a page": partial(_cut, 10 * PAGE + 1),
        "cut before a page's end": partial(_cut, 20 * PAGE - 1),
        "cut within the header": partial(_cut, 50),
        "noise behind its end": _lengthen,
        "not a database": lambda file: _write(file, b"Dear diary,\n" * 1000),
        "of another application": partial(_overwrite, 68, b"\x00\x00\x00\x07"),
        "of a newer axdesk": partial(_overwrite, 60, b"\x00\x00\x03\xe8"),
        "a folder in its place": _become_folder,
        "noise for a write-ahead log": partial(_beside, "-wal", NOISE),
    }
    samples = {"header overwritten", "a page of a table overwritten", "cut behind a page"}
    for fault, damage in refused.items():
        yield Case(9, fault, partial(is_refused, damage), fault in samples)
    yield Case(9, "emptied", partial(is_refused, partial(_cut, 0), may_be_new=True))
    yield Case(9, "removed", partial(is_refused, Path.unlink, may_be_new=True))
    harmless: dict[str, Damage] = {
        "noise for a rollback journal": partial(_beside, "-journal", NOISE),
        "an empty write-ahead log": partial(_beside, "-wal", b""),
        "its lock files removed": lambda file: shutil.rmtree(f"{file}.locks"),
    }
    for fault, damage in harmless.items():
        yield Case(9, fault, partial(is_harmless, damage))
    yield Case(9, "its disk is read-only", read_only, is_sample=True)


def interrupted(bench: Bench) -> Laboratory:
    """Return a laboratory whose run was killed half way."""
    lab = Laboratory(bench.folder)
    lab.run(bench.launcher, environ={"AXDESK_FAILPOINT": "trial_recorded:4"})
    return lab


def is_refused(damage: Damage, bench: Bench, *, may_be_new: bool = False) -> Verdict:
    """Damage the database; axdesk must say so, change nothing, and go on with a good copy.

    Args:
        damage: What is done to it.
        bench: Where.
        may_be_new: Whether what is left is as good as no database: then the experiment is missing.
    """
    lab = interrupted(bench)
    good = bench.folder / "good.sqlite"
    shutil.copyfile(lab.database, good)
    damage(lab.database)
    before = _digest(lab.database)
    ended = lab.run(bench.launcher, "resume")
    verdict = Verdict()
    judge_end(verdict, ended, (USAGE, NOT_VALID) if may_be_new else (NOT_VALID,))
    if not may_be_new and _digest(lab.database) != before:
        verdict.broken.append("the damaged file was changed")
    if str(lab.database) not in ended.errors:
        verdict.broken.append(f"the message does not name the file: {ended.last_words}")
    if lab.database.is_dir():
        lab.database.rmdir()
    for file in bench.folder.glob("lab.sqlite-*"):
        file.unlink()
    shutil.copyfile(good, lab.database)
    verdict.add(lab.judge(lab.go_on(bench.launcher), points=bench.undisturbed.result().points))
    return verdict


def is_harmless(damage: Damage, bench: Bench) -> Verdict:
    """Do what SQLite must bear, then resume."""
    lab = interrupted(bench)
    damage(lab.database)
    return lab.judge(lab.go_on(bench.launcher), points=bench.undisturbed.result().points)


def read_only(bench: Bench) -> Verdict:
    """Resume on a disk that may not be written; then on the same disk when it may."""
    with small_disk(bench.folder / "disk", "4m") as disk:
        lab = Laboratory(bench.folder, disk=disk.folder)
        failpoint = {"AXDESK_FAILPOINT": "trial_recorded:4"}
        with lab.start(under=disk.under, environ=failpoint) as program:
            lab.heard(program.wait())
        _remount(disk.under, disk.folder, "ro")
        with lab.start("resume", under=disk.under) as program:
            refused = lab.heard(program.wait())
        _remount(disk.under, disk.folder, "rw")
        with lab.start("resume", under=disk.under) as program:
            ended = lab.heard(program.wait())
        copy = bench.folder / "copy"
        copy.mkdir()
        disk.copy_to(copy)
        lab.database = copy / lab.database.name
    verdict = lab.judge(ended, codes=(DONE,))
    judge_end(verdict, refused, (NOT_VALID,))
    return verdict


def _remount(under: tuple[str, ...], folder: Path, how: str) -> None:
    subprocess.run([*under, "mount", "-o", f"remount,{how}", str(folder)], check=True)


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest() if file.is_file() else "no file"


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def _overwrite(offset: int, content: bytes, file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[offset : offset + len(content)] = content
    file.write_bytes(whole)


def _overwrite_a_table(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        sql = "SELECT rootpage FROM sqlite_master WHERE name = 'trials'"
        ((page,),) = connection.execute(sql)
    _overwrite((page - 1) * PAGE, NOISE, file)


def _cut(size: int, file: Path) -> None:
    file.write_bytes(file.read_bytes()[:size])


def _lengthen(file: Path) -> None:
    with file.open("ab") as end:
        end.write(NOISE[:1000])


def _become_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _beside(suffix: str, content: bytes, file: Path) -> None:
    file.with_name(file.name + suffix).write_bytes(content)
