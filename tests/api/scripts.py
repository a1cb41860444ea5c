"""Programs of a library user, each run in an interpreter of its own."""

PREAMBLE = """
import sys, threading
from tests.api.laboratory import *
class Runner(BenchRunner):
    def run_trial(self, trial_index, parameterization):
        answer = super().run_trial(trial_index, parameterization)
        print("deployed", trial_index, "torch" in sys.modules, flush=True)
        return answer
runner = Runner()
"""

INTERRUPTED = (
    PREAMBLE
    + """
runner.is_open.clear()
client = equipped(configured(), runner)
# The test closes or opens the gate by a line on the standard input.
def listen():
    sys.stdin.readline()
    runner.is_open.set()
threading.Thread(target=listen, daemon=True).start()
from axdesk.core.events import RunChanged
from axdesk.core.run import RunState
def watch(event):
    if isinstance(event, RunChanged) and event.run.state is RunState.STOPPING:
        print("stopping", flush=True)
try:
    client.run_trials(5, initial_seconds_between_polls=POLL_SECONDS, config=FAST, on_event=watch)
except KeyboardInterrupt:
    print("interrupted", [t.status.name for t in client.experiment.trials.values()], flush=True)
"""
)

USUAL_RUN = (
    PREAMBLE
    + """
client = equipped(configured(method="fast"), runner)
run(client, 7)
print("torch" in sys.modules)
"""
)

LEFT_OPEN = (
    PREAMBLE
    + """
client = equipped(configured(), runner)
run(client, 2)
"""
)
