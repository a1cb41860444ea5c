"""Randomness that depends on the experiment's seed and the trial alone."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What random numbers are for; each purpose has its own."""

    SCRAMBLING = 0
    SPACE_FILLING = 1
    SEARCH = 2
    SURROGATE = 3
    SHARE = 4


def generator(seed: int, stream: Stream, trial_index: int = 0) -> np.random.Generator:
    """Return the random generator of a purpose, the same in every process."""
    return np.random.default_rng(np.random.SeedSequence([seed, stream, trial_index]))


def integer(seed: int, stream: Stream, trial_index: int) -> int:
    """Return a seed of 32 bits for a library."""
    return int(np.random.SeedSequence([seed, stream, trial_index]).generate_state(1)[0])
