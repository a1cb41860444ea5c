"""The limit of a metric as it stands in one cell: `2`, or relative such as `0.95*baseline + 5`."""

import re
from decimal import Decimal

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import number_text, parse_number
from axdesk.core.errors import ExpressionError, UserInputError
from axdesk.core.expressions import TOperator, limit_side, quoted

_BASELINE = re.compile(r"\bbaseline\b", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_PERCENT = re.compile(
    r"(\d+(?:\.\d*)?|\.\d+)\s*%\s*(?:of\s+)?(?:the\s+)?(?=baseline)", re.IGNORECASE
)
_FACTOR = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*[×·xX]?\s*(?=baseline)")


def is_relative_limit(text: str) -> bool:
    """Whether a limit means the baseline trial."""
    return _BASELINE.search(text) is not None


def parse_limit(name: str, operator: TOperator, text: str) -> OutcomeConstraint:
    """Read a limit on one metric.

    Args:
        name: The metric.
        operator: `<=` or `>=`.
        text: A number, or such as `95 % of baseline`, `0,95*baseline` or `baseline + 5`.

    Raises:
        UserInputError: If it is neither.
    """
    if not is_relative_limit(text):
        return OutcomeConstraint(((name, 1.0),), operator, parse_number(text))
    plain = _BASELINE.sub("baseline", text).replace("−", "-").replace("\u00a0", " ")
    plain = _DECIMAL_COMMA.sub(".", plain)
    plain = _PERCENT.sub(lambda m: f"{Decimal(m[1]).scaleb(-2):f}*", plain)
    plain = _FACTOR.sub(r"\1*", plain)
    hint = "Enter such as 0.95*baseline or 95 % of baseline + 5."
    try:
        limit = OutcomeConstraint.parse(f"{quoted(name)} {operator} {plain}")
    except ExpressionError:
        raise UserInputError(f"“{text.strip()}” is not understood as a limit.", hint) from None
    if limit.terms != ((name, 1.0),) or not limit.is_relative:
        raise UserInputError(f"“{text.strip()}” is no limit relative to the baseline.", hint)
    return limit


def limit_cell_text(limit: OutcomeConstraint) -> str:
    """Return the text that `parse_limit` reads as the same limit on a single metric."""
    if limit.is_relative:
        return limit_side(limit.baseline, limit.bound)
    return number_text(limit.bound)
