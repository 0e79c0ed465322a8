"""The rules of a `RuleBaseline`: ``torque > 60 and (tool_wear > 200 or type == "L")``, read by hand, never evaluated.

either      = both { "or" both }
both        = negated { "and" negated }
negated     = "not" negated  |  comparison
comparison  = sum [ ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) sum ]
sum         = product { ( "+" | "-" ) product }
product     = factor { ( "*" | "/" ) factor }
factor      = "-" factor  |  number  |  text in quotes  |  "true"  |  "false"  |  column  |  "(" either ")"

A column with blanks is written in backquotes. A missing value makes neither a comparison nor its opposite true, and so
does a division by zero; a rule that is not true in the end is false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from operator import add, and_, eq, ge, gt, le, lt, mul, ne, or_, sub

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.texts import Text, text

MAXIMUM_LENGTH = 2000
MAXIMUM_DEPTH = 50

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<column>`[^`]+`)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<sign><=|>=|==|!=|[-+*/()<>]))"
)
_DAY = 86_400_000_000
_Joined = Callable[[pl.Expr, pl.Expr], pl.Expr]
_COMPARISONS: Mapping[str, _Joined] = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


class ValueKind(Enum):
    """The type of an expression's value."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"


@dataclass(frozen=True)
class CompiledRule:
    """A rule as a polars expression, and the columns that it reads."""

    expression: pl.Expr
    columns: frozenset[str]


def evaluate_rule(rule: str, frame: pl.DataFrame, withheld: frozenset[str] = frozenset()) -> npt.NDArray[np.bool_]:
    """Return, for each row of ``frame``, whether ``rule`` is true; shape (rows,). Raises as `compile_rule`."""
    allowed = {name: dtype for name, dtype in frame.schema.items() if name not in withheld}
    compiled = compile_rule(rule, allowed)
    decided = frame.select(compiled.expression.fill_null(False).alias("rule"))["rule"]
    return np.broadcast_to(decided.to_numpy(), (frame.height,)).astype(np.bool_)


def compile_rule(rule: str, columns: Mapping[str, pl.DataType], times: bool = False) -> CompiledRule:
    """Return ``rule`` over ``columns`` (numbers, texts and booleans; with ``times`` also times, as days since 1970).

    Raises:
        InputError: ``data.rule.*``, naming the position, what was found there and what is allowed.
    """
    if len(rule) > MAXIMUM_LENGTH:
        raise InputError("data.rule.too_long", found=len(rule), limit=MAXIMUM_LENGTH)
    parser = _Parser(rule, columns, times)
    expression = parser.read()
    return CompiledRule(expression, frozenset(parser.used))


@dataclass(frozen=True)
class _Token:
    kind: str
    spelling: str
    position: int
    """Counted from 1, as people count."""


@dataclass(frozen=True)
class _Node:
    kind: ValueKind
    expression: pl.Expr


class _Parser:
    def __init__(self, rule: str, columns: Mapping[str, pl.DataType], times: bool) -> None:
        self.rule = rule
        self.columns = columns
        self.times = times
        self.used: set[str] = set()
        self._tokens = _tokens(rule)
        self._next = 0
        self._depth = 0

    def read(self) -> pl.Expr:
        start = self._token
        node = self._either()
        if self._token.kind != "end":
            raise self._unexpected(text("data.rule.expects.operator"))
        return self._need(node, ValueKind.TRUTH, start).expression

    def _chain(self, part: Callable[[], _Node], kind: ValueKind, signs: Mapping[str, _Joined]) -> _Node:
        """Read ``part { sign part }``, each part of this kind if there is a sign."""
        start = self._token
        node = part()
        while sign := self._take(*signs):
            left = self._need(node, kind, start).expression
            start = self._token
            node = _Node(kind, signs[sign](left, self._need(part(), kind, start).expression))
        return node

    def _either(self) -> _Node:
        return self._chain(self._both, ValueKind.TRUTH, {"or": or_})

    def _both(self) -> _Node:
        return self._chain(self._negated, ValueKind.TRUTH, {"and": and_})

    def _negated(self) -> _Node:
        if not self._take("not"):
            return self._comparison()
        self._enter()
        start = self._token
        node = self._need(self._negated(), ValueKind.TRUTH, start)
        self._depth -= 1
        return _Node(ValueKind.TRUTH, ~node.expression)

    def _comparison(self) -> _Node:
        left, sign = self._sum(), self._token
        if not self._take(*_COMPARISONS):
            return left
        start = self._token
        right = self._need(self._sum(), left.kind, start)
        if left.kind is not ValueKind.NUMBER and sign.spelling not in ("==", "!="):
            raise self._unexpected(text("data.rule.expects.equality"), sign)
        return _Node(ValueKind.TRUTH, _COMPARISONS[sign.spelling](left.expression, right.expression))

    def _sum(self) -> _Node:
        return self._chain(self._product, ValueKind.NUMBER, {"+": add, "-": sub})

    def _product(self) -> _Node:
        return self._chain(self._factor, ValueKind.NUMBER, {"*": mul, "/": _divided})

    def _factor(self) -> _Node:
        self._enter()
        node = self._open_factor()
        self._depth -= 1
        return node

    def _open_factor(self) -> _Node:
        token = self._token
        if self._take("-"):
            start = self._token
            return _Node(ValueKind.NUMBER, -self._need(self._factor(), ValueKind.NUMBER, start).expression)
        if self._take("("):
            node = self._either()
            if not self._take(")"):
                raise self._unexpected(text("data.rule.expects.closing"))
            return node
        self._next += 1
        if token.kind == "number":
            return _Node(ValueKind.NUMBER, pl.lit(float(token.spelling)))
        if token.kind == "text":
            return _Node(ValueKind.TEXT, pl.lit(token.spelling[1:-1]))
        if token.kind == "word" and token.spelling in ("true", "false") and token.spelling not in self.columns:
            return _Node(ValueKind.TRUTH, pl.lit(token.spelling == "true"))
        if token.kind in ("word", "column") and token.spelling not in ("and", "or", "not"):
            return self._column(token)
        raise self._unexpected(text("data.rule.expects.value"), token)

    def _column(self, token: _Token) -> _Node:
        name = token.spelling.strip("`")
        dtype = self.columns.get(name)
        if dtype is None:
            raise InputError(
                "data.rule.unknown_column", found=name, position=token.position, allowed=offer(name, self.columns)
            )
        self.used.add(name)
        if dtype.is_numeric():
            number = pl.col(name).cast(pl.Float64)
            return _Node(ValueKind.NUMBER, number.fill_nan(None) if dtype.is_float() else number)
        if dtype == pl.Boolean:
            return _Node(ValueKind.TRUTH, pl.col(name))
        if dtype == pl.String:
            return _Node(ValueKind.TEXT, pl.col(name))
        if self.times and dtype.is_temporal():
            return _Node(ValueKind.NUMBER, pl.col(name).cast(pl.Datetime("us")).dt.epoch("us") / _DAY)
        raise InputError("data.rule.unfit_column", found=name, position=token.position)

    @property
    def _token(self) -> _Token:
        return self._tokens[min(self._next, len(self._tokens) - 1)]

    def _take(self, *spellings: str) -> str:
        token = self._token
        if token.kind not in ("word", "sign") or token.spelling not in spellings:
            return ""
        self._next += 1
        return token.spelling

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise InputError("data.rule.too_deep", limit=MAXIMUM_DEPTH, position=self._token.position)

    def _need(self, node: _Node, kind: ValueKind, start: _Token) -> _Node:
        if node.kind is not kind:
            raise self._unexpected(Text(code=f"data.rule.expects.{kind.value}"), start)
        return node

    def _unexpected(self, expected: Text, token: _Token | None = None) -> InputError:
        at = token or self._token
        found = at.spelling or text("data.rule.end")
        return InputError(
            "data.rule.unexpected", rule=self.rule[:200], position=at.position, found=found, expected=expected
        )


def _tokens(rule: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, end = 0, len(rule.rstrip())
    while position < end:
        matched = _TOKEN.match(rule, position)
        if matched is None:
            start = position + len(rule[position:]) - len(rule[position:].lstrip())
            raise InputError(
                "data.rule.unexpected",
                rule=rule[:200],
                position=start + 1,
                found=rule[start],
                expected=text("data.rule.expects.value"),
            )
        kind = matched.lastgroup or "sign"
        tokens.append(_Token(kind, matched[kind], matched.start(kind) + 1))
        position = matched.end()
    return [*tokens, _Token("end", "", end + 1)]


def _divided(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    return pl.when(right != 0).then(left / right)
