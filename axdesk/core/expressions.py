"""Linear expressions over free-text names: `-hartmann6`, ``2*x1 + `µ flow` <= 0.5*(x2 - 1)``.

Two words go beyond that where they are allowed: `abs(pH - 7)` in an objective is the distance of a
metric from a target, and `baseline` in an outcome constraint is the metric's value in the baseline
trial.

A plain identifier stands as it is, any other name between backticks. Names are replaced by
placeholders before Python's `ast` sees the text, because `ast` folds `µ` (micro sign) into `μ`
(Greek mu) and refuses `lambda`. Whatever is not linear is refused at its character; no term is
ever dropped.
"""

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from axdesk.core.errors import ExpressionError, UserInputError
from axdesk.core.names import checked_name

TOperator = Literal["<=", ">=", "="]
"""How the two sides of a constraint compare."""

BASELINE = "baseline"
"""The unquoted word that stands for the value of the baseline trial."""

_TYPOGRAPHIC = {"≤": "<=", "≥": ">=", "·": "*", "×": "*", "−": "-", "\u00a0": " "}
_COMMENT = "#"
_NO_NUMBERS = ("inf", "infinity", "nan")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_NUMERAL = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DISTANCE = "abs"
_BASELINE_PLACEHOLDER = "baseline_"


@dataclass(frozen=True, slots=True)
class LinearExpression:
    """A sum of coefficient times name, plus a constant.

    Attributes:
        terms: (name, coefficient) in order of first appearance; coefficients finite, not zero.
        constant: The constant part.
    """

    terms: tuple[tuple[str, float], ...]
    constant: float = 0.0

    def __post_init__(self) -> None:
        for name, coefficient in self.terms:
            checked_name(name, "term")
            if not math.isfinite(coefficient) or coefficient == 0:
                raise UserInputError(
                    f"The coefficient of {name!r} is {coefficient}; it must be finite and not 0."
                )
        if len(set(self.names)) < len(self.terms):
            raise UserInputError(f"A name occurs twice in {self.names}.")
        if not math.isfinite(self.constant):
            raise UserInputError(f"The constant {self.constant} must be finite.")

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(name for name, _ in self.terms)

    def value(self, values: Mapping[str, float]) -> float:
        """Return the sum for the given values; a name that is missing is a KeyError."""
        return math.fsum([self.constant, *(c * values[name] for name, c in self.terms)])

    def __str__(self) -> str:
        return _written(self, quoted)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`expression <= 0`, `>= 0` or `= 0` after everything moved to the left.

    Attributes:
        expression: Left side minus right side, without the baseline's part.
        operator: How it compares.
        baseline: Coefficient of the baseline on the left side.
    """

    expression: LinearExpression
    operator: TOperator
    baseline: float = 0.0


def quoted(name: str) -> str:
    """Return `name` as it stands in an expression, between backticks where it must be."""
    is_word = name == BASELINE or name.lower() in _NO_NUMBERS
    plain = name.isidentifier() and not is_word and not set(name) & _TYPOGRAPHIC.keys()
    return name if plain else f"`{name}`"


def with_backticks(text: str, names: Iterable[str]) -> str:
    """Return an expression with backticks around the names that need them and lack them."""
    needy = sorted((name for name in names if quoted(name) != name), key=len, reverse=True)
    if not needy:
        return text
    words = re.compile("|".join(_bare(name) for name in needy))
    parts = text.split("`")
    # Every second part stands between backticks already.
    return "`".join(
        part if index % 2 else words.sub(lambda found: f"`{found[0]}`", part)
        for index, part in enumerate(parts)
    )


def with_decimal_points(text: str) -> str:
    """Return an expression as long as it was, with points for the commas inside of numbers.

    Only for where no list is expected, and a comma between two digits can mean nothing else.
    """
    parts = text.split("`")
    return "`".join(
        part if index % 2 else _DECIMAL_COMMA.sub(".", part) for index, part in enumerate(parts)
    )


def with_other_name(text: str, name: str, other: str) -> str:
    """Return an expression, understood or not, that names `other` wherever it named `name`."""
    pieces: list[str] = []
    position = 0
    while position < len(text):
        start, is_name = position, False
        if text[start] == "`":
            end = text.find("`", start + 1)
            if end < 0:
                break  # what follows is not understood
            position = end + 1
            is_name = text[start + 1 : end] == name
        elif text[start].isidentifier():
            position = _word_end(text, start)
            word = text[start:position]
            is_name = word == name and quoted(name) == name
        elif (number := _NUMERAL.match(text, start)) is not None:
            position = number.end()
        else:
            position += 1
        pieces.append(quoted(other) if is_name else text[start:position])
    return "".join(pieces) + text[position:]


def _word_end(text: str, start: int) -> int:
    """Where the word ends that begins at `start`."""
    end = start + 1
    # The dot of multiplication may stand in identifiers; here it multiplies.
    while end < len(text) and ("a" + text[end]).isidentifier() and text[end] not in _TYPOGRAPHIC:
        end += 1
    return end


def _bare(name: str) -> str:
    before = r"(?<!\w)" if re.match(r"\w", name) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", name) else ""
    return f"{before}{re.escape(name)}{after}"


def parse_linear(text: str) -> LinearExpression:
    """Parse a linear expression.

    Raises:
        ExpressionError: If it is not linear or not understood, with the place.
    """
    source = _Source(text)
    return source.read(source.root)


def parse_goal(text: str) -> tuple[LinearExpression, dict[str, float]]:
    """Parse a linear expression in which `abs(pH - 7)` may stand for a name.

    Returns:
        The expression, in which a name with a target stands for its distance from it, and name →
        target.

    Raises:
        ExpressionError: If it is not understood, with the place.
    """
    source = _Source(text, takes_targets=True)
    return source.read(source.root), source.targets


def parse_comparison(
    text: str, operators: tuple[TOperator, ...] = ("<=", ">="), *, takes_baseline: bool = False
) -> Comparison:
    """Parse `left <= right`, `left >= right` or `left = right`, both sides linear.

    Args:
        text: The comparison; `==` says the same as `=`.
        operators: Those that are allowed.
        takes_baseline: Whether the unquoted word `baseline` is allowed.

    Raises:
        ExpressionError: If it is no such comparison or not understood, with the place.
    """
    source = _Source(text, takes_baseline=takes_baseline)
    node = source.root
    allowed = " or ".join(operators) if len(operators) < 3 else "<=, >= or ="
    if not isinstance(node, ast.Compare):
        raise source.refused(
            node, f"A comparison with {allowed} is needed.", "Write such as a + b <= 80."
        )
    operator = _OPERATORS.get(type(node.ops[0]))
    if len(node.ops) != 1 or operator not in operators:
        raise source.refused(
            node.comparators[0],
            f"Exactly one comparison with {allowed} is allowed.",
            "Write < as <=, > as >=, and a double inequality as two constraints.",
        )
    left, right = source.read(node.left), source.read(node.comparators[0])
    negated = LinearExpression(tuple((n, -c) for n, c in right.terms), -right.constant)
    moved = source.added(left, negated, node.comparators[0])
    terms = dict(moved.terms)
    baseline = terms.pop(source.baseline, 0.0)
    return Comparison(LinearExpression(tuple(terms.items()), moved.constant), operator, baseline)


_OPERATORS: Mapping[type[ast.cmpop], TOperator] = {ast.LtE: "<=", ast.GtE: ">=", ast.Eq: "="}


def split_objectives(text: str) -> tuple[str, ...]:
    """Split `a, -b` at commas that stand outside backticks."""
    parts, inside, start = [], False, 0
    for position, character in enumerate(text):
        if character == "`":
            inside = not inside
        elif character == "," and not inside:
            parts.append(text[start:position])
            start = position + 1
    return (*parts, text[start:])


def goal_text(expression: LinearExpression, targets: Mapping[str, float]) -> str:
    """Return the text that `parse_goal` reads as these."""
    return _written(
        expression,
        lambda name: (
            f"{_DISTANCE}({_shifted(name, targets[name])})" if name in targets else quoted(name)
        ),
    )


def limit_side(baseline: float, constant: float) -> str:
    """Return `0.95*baseline + 5`, the right side of an outcome constraint."""
    if not baseline:
        return str(LinearExpression((), constant))
    return _written(LinearExpression(((BASELINE, baseline),), constant), str)


def _shifted(name: str, target: float) -> str:
    return str(LinearExpression(((name, 1.0),), 0.0 - target))


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _written(expression: LinearExpression, name_text: Callable[[str], str]) -> str:
    parts = [_signed(coefficient, name_text(name)) for name, coefficient in expression.terms]
    constant = expression.constant
    if constant or not parts:
        parts.append(("-" if constant < 0 else "+", _number(abs(constant))))
    sign, body = parts[0]
    text = f"-{body}" if sign == "-" else body
    return text + "".join(f" {sign} {body}" for sign, body in parts[1:])


def _signed(coefficient: float, name: str) -> tuple[str, str]:
    size = abs(coefficient)
    return ("-" if coefficient < 0 else "+", name if size == 1 else f"{_number(size)}*{name}")


class _Source:
    """An expression's text, its names replaced by ASCII placeholders, and the way back."""

    def __init__(
        self, text: str, *, takes_targets: bool = False, takes_baseline: bool = False
    ) -> None:
        self.text = text
        self.names: dict[str, str] = {}
        self.targets: dict[str, float] = {}
        self._takes_targets = takes_targets
        self._takes_baseline = takes_baseline
        # How often each name stands in the text.
        self._counts: dict[str, int] = {}
        # places[i] is the index into `text` of character i of the ASCII text.
        self.places: list[int] = []
        self._ascii: list[str] = []
        self._replace_names()
        # A name of its own, also beside a metric that is called `baseline`.
        self.baseline = BASELINE
        while self.baseline in self.names.values():
            self.baseline += "_"
        self.names[_BASELINE_PLACEHOLDER] = self.baseline
        code = "".join(self._ascii)
        if not code.strip():
            raise self.refused_at(0, "The expression is empty.", "Enter such as -hartmann6.")
        try:
            self.root: ast.expr = ast.parse(code.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            # Offset 0 says that something is missing at the end; ValueError has no offset.
            missing = len(code.strip()) if isinstance(error, SyntaxError) else 1
            offset = getattr(error, "offset", None) or missing
            place = self._place(offset - 1 + self._indent(code))
            raise self.refused_at(place, "The expression is not understood here.") from error
        self._shift = self._indent(code)

    @staticmethod
    def _indent(code: str) -> int:
        return len(code) - len(code.lstrip())

    def _place(self, column: int) -> int:
        return self.places[min(max(column, 0), len(self.places) - 1)] if self.places else 0

    def _put(self, ascii_text: str, place: int) -> None:
        self._ascii.append(ascii_text)
        self.places.extend([place] * len(ascii_text))

    def _replace_names(self) -> None:
        position, text = 0, self.text
        while position < len(text):
            character = text[position]
            if character == "`":
                position = self._quoted_name(position)
            elif character.isidentifier():
                end = _word_end(text, position)
                self._name(text[position:end], position, is_quoted=False)
                position = end
            elif (character.isdecimal() and character.isascii()) or character == ".":
                position = self._numeral(position)
            elif character == "=" and self._stands_alone(position):
                self._put("==", position)
                position += 1
            elif character in _TYPOGRAPHIC or self._is_code(character):
                self._put(_TYPOGRAPHIC.get(character, character), position)
                position += 1
            else:
                raise self.refused_at(position, f"The character {character!r} is not understood.")

    @staticmethod
    def _is_code(character: str) -> bool:
        # `ast` would drop a comment without a word.
        return character.isascii() and character.isprintable() and character != _COMMENT

    def _stands_alone(self, position: int) -> bool:
        around = self.text[max(position - 1, 0) : position] + self.text[position + 1 : position + 2]
        return not set(around) & set("<>=!:")

    def _quoted_name(self, start: int) -> int:
        end = self.text.find("`", start + 1)
        if end < 0:
            raise self.refused_at(start, "The backtick that opens a name has no partner.")
        name = self.text[start + 1 : end]
        try:
            checked_name(name, "term")
        except UserInputError as error:
            raise self.refused_at(start, error.message) from error
        self._name(name, start, is_quoted=True)
        return end + 1

    def _name(self, name: str, place: int, *, is_quoted: bool) -> None:
        if name == BASELINE and not is_quoted:
            if not self._takes_baseline:
                raise self.refused_at(
                    place,
                    "The baseline can stand in limits on metrics only.",
                    "Write such as qps >= 0.95*baseline; a thing called baseline goes between "
                    "backticks.",
                )
            self._put(f" {_BASELINE_PLACEHOLDER} ", place)
            return
        if name.lower() in _NO_NUMBERS and not is_quoted:
            raise self.refused_at(
                place,
                f"{name} is no finite number.",
                "Leave out a limit that nothing reaches; a thing of that name goes between "
                "backticks.",
            )
        self._counts[name] = self._counts.get(name, 0) + 1
        placeholder = next((p for p, n in self.names.items() if n == name), None)
        if placeholder is None:
            placeholder = f"name{len(self.names)}_"
            self.names[placeholder] = name
        # Blanks around it keep `2a` and `a b` the errors that they are.
        self._put(f" {placeholder} ", place)

    def _numeral(self, start: int) -> int:
        end, text = start, self.text
        while end < len(text) and text[end].isascii() and (text[end].isdigit() or text[end] == "."):
            end += 1
        exponent = end
        if exponent < len(text) and text[exponent] in "eE":
            digits = exponent + 1
            if digits < len(text) and text[digits] in "+-":
                digits += 1
            while digits < len(text) and text[digits].isascii() and text[digits].isdigit():
                digits += 1
                end = digits
        for position in range(start, end):
            self._put(text[position], position)
        return end

    def refused_at(self, place: int, message: str, hint: str = "") -> ExpressionError:
        return ExpressionError(message, hint, text=self.text, position=place)

    def refused(self, node: ast.expr, message: str, hint: str = "") -> ExpressionError:
        return self.refused_at(self._place(node.col_offset + self._shift), message, hint)

    def read(self, node: ast.expr) -> LinearExpression:
        """Return what the node says; for the outermost one of a side."""
        try:
            return self.linear(node)
        except RecursionError as error:
            raise self.refused(node, "The expression is too long.") from error

    def linear(self, node: ast.expr) -> LinearExpression:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._constant(node, value)
            case ast.Name(id=placeholder):
                return LinearExpression(((self.names[placeholder], 1.0),))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._scaled(self.linear(operand), -1.0, node)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.linear(operand)
            case ast.BinOp():
                return self._combined(node)
            case ast.Call(func=ast.Name(id=function), args=[inside], keywords=[]) if (
                self._takes_targets and self.names[function] == _DISTANCE
            ):
                return self._distance(inside)
            case ast.Tuple():
                raise self.refused(node.elts[-1], "One expression is expected, without a comma.")
            case ast.Compare():
                raise self.refused(node.comparators[0], "No comparison is expected here.")
            case _:
                pass
        raise self.refused(
            node,
            "Only numbers, names, + - * / and brackets are understood.",
            "Put a name with blanks or signs between backticks: `Yield (%)`.",
        )

    def _distance(self, node: ast.expr) -> LinearExpression:
        """Read what stands inside of `abs(…)`: one metric and its target."""
        inside = self.linear(node)
        if len(inside.terms) != 1 or self.targets.keys() & set(inside.names):
            raise self.refused(
                node, "abs takes one metric minus its target.", "Write such as -abs(pH - 7)."
            )
        ((name, coefficient),) = inside.terms
        if self._counts[name] > 1:
            raise self.refused(
                node,
                f"{quoted(name)} stands beside its own target once more.",
                "Name a metric with a target once.",
            )
        target = 0.0 - inside.constant / coefficient
        if not math.isfinite(target):
            raise self.refused(node, f"The target {target} of {quoted(name)} must be finite.")
        self.targets[name] = target
        return LinearExpression(((name, abs(coefficient)),))

    def _combined(self, node: ast.BinOp) -> LinearExpression:
        match node.op:
            case ast.Add():
                return self.added(self.linear(node.left), self.linear(node.right), node.right)
            case ast.Sub():
                negated = self._scaled(self.linear(node.right), -1.0, node.right)
                return self.added(self.linear(node.left), negated, node.right)
            case ast.Mult():
                return self._product(self.linear(node.left), self.linear(node.right), node)
            case ast.Div():
                divisor = self.linear(node.right)
                if divisor.terms or divisor.constant == 0:
                    raise self.refused(
                        node.right, "Only division by a number other than 0 is linear."
                    )
                return self._scaled(self.linear(node.left), 1.0 / divisor.constant, node)
            case _:
                pass
        raise self.refused(
            node.right,
            "Only + - * / are linear; powers and remainders are not.",
            "A power has to be a value of its own; a name with such a sign goes between backticks.",
        )

    def _constant(self, node: ast.expr, value: float) -> LinearExpression:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.refused(node, "This number is too large.")
        return LinearExpression((), number)

    def _scaled(
        self, expression: LinearExpression, factor: float, node: ast.expr
    ) -> LinearExpression:
        try:
            terms = tuple((name, c * factor) for name, c in expression.terms)
            return LinearExpression(terms, expression.constant * factor + 0.0)
        except UserInputError as error:
            raise self.refused(node, error.message) from error

    def _product(
        self, left: LinearExpression, right: LinearExpression, node: ast.expr
    ) -> LinearExpression:
        if left.terms and right.terms:
            raise self.refused(node, "The product of two names is not linear.")
        return (
            self._scaled(right, left.constant, node)
            if right.terms
            else self._scaled(left, right.constant, node)
        )

    def added(
        self, left: LinearExpression, right: LinearExpression, node: ast.expr
    ) -> LinearExpression:
        """Return the sum; terms that cancel are refused, since dropping one would be silent."""
        sums = dict(left.terms)
        for name, coefficient in right.terms:
            sums[name] = sums.get(name, 0.0) + coefficient
        for name, coefficient in sums.items():
            if coefficient == 0:
                raise self.refused(node, f"The terms of {quoted(name)} cancel out.", "Remove them.")
        try:
            return LinearExpression(tuple(sums.items()), left.constant + right.constant)
        except UserInputError as error:
            raise self.refused(node, error.message) from error
