"""What the laboratory's code prints reaches the operator, and a flood of it nobody."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from axdesk.core.events import PluginPrinted, RunFinished
from axdesk.core.run import RunState
from axdesk.orchestration.prints import Prints
from tests.fakes import FakeClock, Script
from tests.orchestration.bench import Bench, settings


def printing(bench: Bench, seconds: float, file: str, text: str, times: int = 1) -> None:
    def tell() -> None:
        assert bench.calls.told is not None
        for _ in range(times):
            bench.calls.told(file, text)

    bench.clock.at(seconds, tell)


def test_prints_are_told_in_the_schedulers_thread_until_the_run_ends() -> None:
    bench = Bench({0: Script(seconds=9.0)})
    printing(bench, 2.25, "pump.py", "primed\n")
    printing(bench, 2.25, "valve.py", "open\n")
    printing(bench, 5.0, "pump.py", "done\n")
    threads: set[int] = set()
    publish = bench._publish

    def watch(event: object) -> None:
        threads.add(threading.get_ident())
        publish(event)  # type: ignore[arg-type]  # every event is one

    bench._publish = watch  # type: ignore[method-assign]  # listens in
    bench.run(settings(1))
    assert bench.of_kind(PluginPrinted) == [
        PluginPrinted("pump.py", "primed\n"),
        PluginPrinted("valve.py", "open\n"),
        PluginPrinted("pump.py", "done\n"),
    ]
    assert threads == {threading.get_ident()}
    assert bench.calls.told is None


def test_what_is_printed_last_is_told_before_the_end() -> None:
    bench = Bench({0: Script(seconds=9.0)})
    printing(bench, 8.95, "pump.py", "first\n")
    printing(bench, 9.0, "pump.py", "last\n")
    bench.run(settings(1))
    assert "".join(e.text for e in bench.of_kind(PluginPrinted)) == "first\nlast\n"
    assert isinstance(bench.events[-1], RunFinished)


def test_a_flood_neither_fills_the_inbox_nor_keeps_the_loop_from_its_work() -> None:
    bench = Bench({0: Script(seconds=9.0)})
    waits: list[float] = []
    receive = bench.clock.receive

    def count(inbox: "SimpleQueue[object]", seconds: float | None) -> object | None:
        waits.append(bench.clock.seconds)
        return receive(inbox, seconds)

    bench.clock.receive = count  # type: ignore[method-assign]  # counts
    for tenth in range(20, 80):
        printing(bench, tenth / 10, "pump.py", "x" * 999 + "\n", times=500)
    assert bench.run(settings(1)).state is RunState.COMPLETED
    told = bench.of_kind(PluginPrinted)
    assert len(told) < 40
    assert all(len(event.text) < 21_000 for event in told)
    printed, left = 60 * 500 * 1000, sum(_left_out(event.text) for event in told)
    assert left + sum(_kept(event.text) for event in told) == printed
    assert len(waits) < 150
    assert [at for at, _ in bench.calls.polls] == [float(second) for second in range(1, 10)]


def _left_out(text: str) -> int:
    _, mark, rest = text.partition("\n… and ")
    return int(rest.split()[0]) if mark else 0


def _kept(text: str) -> int:
    return len(text.partition("\n… and ")[0])


def test_prints_of_many_threads_are_all_told_or_counted() -> None:
    told: list[PluginPrinted] = []
    publish: Callable[..., None] = told.append
    prints = Prints(FakeClock(), publish, lambda: None)

    def talk() -> None:
        for _ in range(500):
            prints.add("a.py", "12345")

    threads = [threading.Thread(target=talk) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    prints.tell()
    assert sum(_kept(e.text) + _left_out(e.text) for e in told) == 8 * 500 * 5
