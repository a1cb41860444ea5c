"""Space-filling points: the centre, then a scrambled Sobol sequence.

Which point a trial gets depends on the experiment's seed, the trial's index and the search space
alone, except that a point that was tried is replaced.
"""

import numpy as np
from scipy.stats import qmc

from axdesk.generation.encoding import Array, Encoding
from axdesk.generation.feasibility import Region
from axdesk.generation.problem import Problem
from axdesk.generation.seeds import Stream, generator

_MAX_DRAWN = 2**14
_REPLACEMENTS = 256


def center_point(problem: Problem) -> Array:
    """Return the row of the start values, and of the centre where none is given.

    If it breaks a constraint: nearest to start values, else in the middle of what is allowed.
    """
    start, is_given = problem.encoding.start()
    region = problem.region
    if region.allowed(start[None])[0]:
        return start
    nearest = region.nearest(start)
    return nearest if is_given else _middle(region, nearest)


def _middle(region: Region, row: Array) -> Array:
    extremes = region.extremes(row)[1:]
    if not len(extremes):
        return row
    return region.mixed(extremes, np.full(len(extremes), 1 / len(extremes)))


def sobol_point(problem: Problem, seed: int, trial_index: int) -> Array:
    """Return the row of a trial: the allowed point number `trial_index` of the sequence.

    Raises:
        SearchSpaceExhaustedError: If every allowed point was tried.
    """
    row = _sequence_point(problem.region, seed, trial_index)
    if problem.is_new(row):
        return row
    rng = generator(seed, Stream.SPACE_FILLING, trial_index)
    return np.asarray(problem.untried(rng, _REPLACEMENTS)[0])


def _sequence_point(region: Region, seed: int, trial_index: int) -> Array:
    encoding = region.encoding
    if not encoding.dimension:
        return np.empty(0)
    if not len(region.limits.bounds):
        return _unconstrained_point(encoding, seed, trial_index)
    engine = qmc.Sobol(encoding.dimension, rng=generator(seed, Stream.SCRAMBLING))
    seen = drawn = 0
    size = 64
    while drawn < max(_MAX_DRAWN, 4 * trial_index):
        rows = encoding.rows_from_cube(engine.random(size))
        allowed = rows[region.allowed(rows)]
        if trial_index - seen < len(allowed):
            return np.asarray(allowed[trial_index - seen])
        seen, drawn = seen + len(allowed), drawn + size
        size = drawn  # the length stays a power of two, which keeps the sequence balanced
        if not seen and drawn >= 4096:
            break
    return _projected_point(region, seed, trial_index)


def _unconstrained_point(encoding: Encoding, seed: int, trial_index: int) -> Array:
    engine = qmc.Sobol(encoding.dimension, rng=generator(seed, Stream.SCRAMBLING))
    if trial_index:
        engine.fast_forward(trial_index)
    row: Array = encoding.rows_from_cube(engine.random(1))[0]
    return row


def _projected_point(region: Region, seed: int, trial_index: int) -> Array:
    """Return a point of the sequence, moved into an allowed part too small to be hit."""
    edge = region.nearest(_unconstrained_point(region.encoding, seed, trial_index))
    extremes = region.extremes(edge)[1:]
    if not len(extremes):
        return edge
    # The nearest point lies on the boundary; a point that is uniform in a ball of k dimensions
    # lies at the share u^(1/k) of the radius.
    rng = generator(seed, Stream.SPACE_FILLING, trial_index)
    share = float(rng.random()) ** (1 / len(region.held))
    return region.mixed(
        np.vstack([edge, extremes]),
        np.array([share, *np.full(len(extremes), (1 - share) / len(extremes))]),
    )
