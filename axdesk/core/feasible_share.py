"""How much of the box between the bounds its constraints leave."""

from collections.abc import Mapping
from dataclasses import dataclass

from axdesk.core.parameters import TParameterValue


@dataclass(frozen=True, slots=True)
class FeasibleShare:
    """What a sample of a search space says of its constraints.

    Attributes:
        share: Sampled points that keep every constraint, from 0 to 1; equal steps, levels and, on
            logarithmic scales, orders of magnitude count equally.
        sampled: How many points were sampled.
        is_feasible: Whether any point is allowed, also where no sampled one is.
        is_thin: Whether an = constraint holds decimal numbers, so that the share is 0 by nature.
        allowed: Some allowed parameterizations, spread over what is allowed, to be drawn.
        forbidden: Some that break a constraint, spread over the rest.
    """

    share: float
    sampled: int
    is_feasible: bool
    is_thin: bool
    allowed: tuple[Mapping[str, TParameterValue], ...]
    forbidden: tuple[Mapping[str, TParameterValue], ...]

    @property
    def sentence(self) -> str:
        """What it says, for people."""
        if not self.is_feasible:
            return "No point of the search space keeps every constraint."
        if self.is_thin:
            return (
                "The search space has allowed points. They have no share of it by nature, since an "
                "= constraint leaves a surface; every suggestion lies on it."
            )
        if self.share == 1:
            return "All of the search space is allowed."
        if self.share == 0:
            return (
                f"The search space has allowed points, though none of {self.sampled} sampled ones "
                f"is: less than {100 / self.sampled:.2g} % of it."
            )
        percent = 100 * self.share
        told = f"{percent:.0f}" if 1 <= percent < 99.5 else f"{percent:.2g}"
        if percent >= 99.5:
            told = "more than 99"
        return f"About {told} % of the search space is allowed."
