"""Small changes to a source, each of which a test should notice.

Strings are left alone (texts have tests of their own), and so are annotations, decorators, docstrings and asserts.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
}  # fmt: skip
SYMMETRIC = {"min", "max", "np.minimum", "np.maximum", "math.gcd", "isclose"}
Place = ast.expr | ast.stmt


@dataclass(frozen=True, order=True)
class Mutation:
    """One change; identified by what it changes, never by a line number, so that it survives edits around it."""

    function: str
    """Qualified within the module; empty at its top level."""
    line: str
    """The text of the line on which the change begins."""
    change: str
    kind: str
    occurrence: int
    """0 for the first of several identical ones."""
    start: int
    end: int
    text: bytes

    def of(self, source: bytes) -> bytes:
        """Return the changed ``source``."""
        return source[: self.start] + self.text + source[self.end :]

    def rank(self, seed: int) -> bytes:
        """Return its position in the order drawn by ``seed``; edits elsewhere do not move it."""
        name = f"{seed}\n{self.function}\n{self.line}\n{self.change}\n{self.occurrence}"
        return hashlib.sha256(name.encode()).digest()


def mutations(source: bytes) -> list[Mutation]:
    """Return every mutation of a module."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for each in lines:
        starts.append(starts[-1] + len(each))
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for function, node, kind, after in _changes(ast.parse(source)):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        line = lines[node.lineno - 1].decode().strip()
        change = f"{ast.unparse(node)} → {after}"
        found.append(Mutation(function, line, change, kind, seen[function, line, change], start, end, after.encode()))
        seen[function, line, change] += 1
    return found


def _changes(tree: ast.Module) -> Iterator[tuple[str, Place, str, str]]:
    for function, node in _walk(tree.body, ""):
        after = _statement(node) if isinstance(node, ast.stmt) else _expression(node)
        if after is not None:
            yield function, node, *after


def _walk(nodes: Iterable[ast.AST], function: str) -> Iterator[tuple[str, Place]]:
    """Yield statements and expressions that run, with the function they are in."""
    for node in nodes:
        if isinstance(node, ast.Assert) or _is_for_types(node) or _is_docstring(node):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{function}.{node.name}" if function else node.name
            defaults = [] if isinstance(node, ast.ClassDef) else [*node.args.defaults, *node.args.kw_defaults]
            yield from _walk([*filter(None, defaults), *node.body], inner)
            continue
        if isinstance(node, ast.JoinedStr):  # its parts have no places of their own before Python 3.12
            continue
        if isinstance(node, ast.expr | ast.stmt):
            yield function, node
        parts = [node.value] if isinstance(node, ast.AnnAssign) else ast.iter_child_nodes(node)
        yield from _walk(filter(None, parts), function)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _expression(node: ast.expr) -> tuple[str, str] | None:
    """Return kind of change and what ``node`` becomes; nodes inside it stay, because each has its own turn."""
    match node:
        case ast.Compare(left, [operator], [right]) if type(operator) in COMPARISONS:
            return "comparison", ast.unparse(ast.Compare(left, [COMPARISONS[type(operator)]()], [right]))
        case ast.BinOp(left, operator, right) if type(operator) in ARITHMETIC and not _joins_texts(node):
            return "arithmetic", ast.unparse(ast.BinOp(left, ARITHMETIC[type(operator)](), right))
        case ast.BoolOp(operator, values):
            return "boolean", ast.unparse(ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values))
        case ast.UnaryOp(ast.Not(), operand):
            return "not", f"({ast.unparse(operand)})"
        case ast.Constant(bool() as value):
            return "constant", str(not value)
        case ast.Constant(int() as value):
            return "constant", str(value + 1)
        case ast.Constant(float() as value):
            return "constant", repr(value * 2 if value else 1.0)
        case ast.Call(function, [first, second, *others], keywords) if _differ(function, first, second):
            return "swap", ast.unparse(ast.Call(function, [second, first, *others], keywords))
    return None


def _joins_texts(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in (node.left, node.right)
    )


def _differ(function: ast.expr, first: ast.expr, second: ast.expr) -> bool:
    """Return whether the order of arguments matters."""
    starred = isinstance(first, ast.Starred) or isinstance(second, ast.Starred)
    return not starred and ast.unparse(function) not in SYMMETRIC and ast.dump(first) != ast.dump(second)


def _statement(node: ast.stmt) -> tuple[str, str] | None:
    match node:
        case ast.Return(value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
            return "return", "return None"
        case ast.Expr(ast.Call() | ast.Await()) | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            return "statement", "pass"
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            return "statement", "pass"
    return None
