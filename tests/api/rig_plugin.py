"""A plugin file whose harm is chosen by the test: what it does where, and what it was asked."""

from pathlib import Path

RIG = '''
"""A rig that does at one place what the file rig.deed beside it says."""

import ctypes, json, os, sys, time
from pathlib import Path

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialFailedError, TrialStatus

HERE = Path(__file__)


def asked(call, *about):
    with HERE.with_suffix(".calls").open("a") as calls:
        calls.write(json.dumps([call, *about]) + "\\n")
    file = HERE.with_suffix(".deed")
    place, _, deed = (file.read_text() if file.exists() else "").partition(" ")
    if place != call:
        return
    if deed == "raise":
        raise ValueError("no vial in the rack")
    if deed == "hang":
        time.sleep(1000)
    if deed == "crash":
        print("the last words", flush=True)
        os._exit(3)
    if deed == "segfault":
        ctypes.string_at(0)
    if deed == "print":
        for number in range(150):
            print("line", number)
    if deed == "nonsense":
        raise Odd()


class Odd(BaseException):
    pass


asked("import")


class Rig(IRunner):
    """Moves something.

    Args:
        address: Where it stands.
        polls: How often it is polled before it is done.
    """

    def __init__(self, address: str = "10.0.4.17", polls: int = 2) -> None:
        asked("Rig")
        self.polls = polls

    def run_trial(self, trial_index, parameterization):
        asked("run_trial", trial_index, dict(parameterization))
        return {"job": 4709, "x": parameterization["x"]}

    def poll_trial(self, trial_index, trial_metadata):
        asked("poll_trial", trial_index, dict(trial_metadata))
        if HERE.with_suffix(".held").exists():
            return TrialStatus.RUNNING
        if HERE.with_suffix(".fails").exists():
            raise TrialFailedError("the pump is dry")
        polls = HERE.with_suffix(".calls").read_text().count("poll_trial")
        return TrialStatus.COMPLETED if polls >= self.polls else TrialStatus.RUNNING

    def stop_trial(self, trial_index, trial_metadata):
        asked("stop_trial", trial_index, dict(trial_metadata))
        return {}


class Gauge(IMetric):
    """Reads something.

    Args:
        offset: Is added.
    """

    def __init__(self, name: str, offset: float = 0.0) -> None:
        super().__init__(name)
        asked("Gauge")
        self.offset = offset

    def fetch(self, trial_index, trial_metadata):
        asked("fetch", trial_index)
        return 0, (trial_metadata["x"] + self.offset, 0.5)
'''


class RigFolder:
    """A plugin folder with the rig."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.path = folder
        self.file = folder / "rig.py"
        self.file.write_text(RIG, "utf-8")

    def order(self, place: str, deed: str) -> None:
        """Have the rig do something at a place, from now on."""
        self.file.with_suffix(".deed").write_text(f"{place} {deed}")

    def hold(self) -> None:
        """Have trials run until they are stopped."""
        self.file.with_suffix(".held").touch()

    def fail_trials(self) -> None:
        """Have the runner say that trials have failed, and why."""
        self.file.with_suffix(".fails").touch()

    def asked(self) -> list[str]:
        """The calls that reached the laboratory's code, without those that load it."""
        calls = self.file.with_suffix(".calls")
        lines = calls.read_text().splitlines() if calls.exists() else []
        names = [line.split('"')[1] for line in lines]
        return [name for name in names if name not in ("import", "Rig", "Gauge")]
