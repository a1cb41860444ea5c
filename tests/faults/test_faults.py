"""A few faults of each family; `dev.py faults` injects them all."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults.campaign import AT_ONCE, Campaign, all_cases
from tests.faults.cases import Case, NotPossibleError, Verdict

KILLS = 20
CASES = [case for case in all_cases(sampled=KILLS) if case.is_sample]
IDS = [f"{number}-{case.family}-{case.fault}" for number, case in enumerate(CASES)]

Found = Verdict | NotPossibleError


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[list[Future[Found]]]":
    """All faults are injected from the first test on, two at a time."""
    folder = tmp_path_factory.mktemp("faults")
    with Campaign(folder) as campaign, ThreadPoolExecutor(AT_ONCE) as pool:
        yield [pool.submit(campaign.inject, *numbered) for numbered in enumerate(CASES)]


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)), ids=IDS)
def test_survives(number: int, case: Case, verdicts: "list[Future[Found]]") -> None:
    found = verdicts[number].result()
    if isinstance(found, NotPossibleError):
        pytest.skip(str(found))
    assert found.lost == []
    assert found.doubled == []
    assert found.broken == []
