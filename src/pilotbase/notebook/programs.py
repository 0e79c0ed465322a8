"""A function of a notebook as the program of an application: its source, with what it uses of its own module.

The box has nothing of the notebook, so whatever the function names goes along: imports, other functions, literal
values, and arrays as files beside it. What cannot go along is refused by its name, before anything runs.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from pilotbase.documents.errors import InputError

_MOST_LITERAL = 100_000
"""Letters of a literal value; larger ones belong into a file."""


@dataclass
class _Gathered:
    """The parts of a module, in the order in which they must stand."""

    imports: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)


def write_program(function: Callable[..., Any], folder: Path) -> None:
    """Write ``app.py``, in which ``predict`` is ``function``, and the arrays that it uses, into ``folder``.

    Raises:
        InputError: ``notebook.*``: it has no source, or uses something that cannot go along.
    """
    gathered = _Gathered()
    _gather(function, gathered)
    for name, array in gathered.arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
        gathered.imports |= {"numpy": "import numpy", "Path": "from pathlib import Path"}
        gathered.values[name] = f'{name} = numpy.load(Path(__file__).with_name("{name}.npy"))'
    named = function.__name__
    parts = [*gathered.imports.values(), "", *gathered.values.values(), "", *gathered.functions.values()]
    last = [] if named == "predict" else [f"predict = {named}"]
    (folder / "app.py").write_text("\n".join([*parts, *last]) + "\n", "utf-8")


def _gather(function: Callable[..., Any], into: _Gathered) -> None:
    if not isinstance(function, FunctionType):
        raise InputError("notebook.no_function", found=type(function).__name__)
    name = function.__name__
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise InputError("notebook.no_source", name=name) from None
    if not source.startswith(("def ", "@")):
        raise InputError("notebook.no_def", name=name)
    into.functions[name] = ""  # stands for itself while what it uses is gathered: it may call itself
    for used, value in _used(function):
        _take(used, value, function, into)
    del into.functions[name]  # after what it uses
    into.functions[name] = source


def _used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the names of its module and of the functions around it that a function uses, with their values."""
    around = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    for name in sorted(_names(function.__code__)):
        if name in around:
            yield name, around[name].cell_contents
        elif name in function.__globals__:
            yield name, function.__globals__[name]
        elif not hasattr(builtins, name) and name in _loaded(function.__code__):
            raise InputError("notebook.unknown_name", function=function.__name__, name=name)


def _names(code: CodeType) -> set[str]:
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return {*code.co_names, *code.co_freevars}.union(*(_names(one) for one in inner))


def _loaded(code: CodeType) -> set[str]:
    """Return the names that are read as names, and not as attributes of something."""
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    own = {one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*(_loaded(one) for one in inner))


def _take(name: str, value: Any, function: FunctionType, into: _Gathered) -> None:
    if name in into.functions or name in into.values or name in into.arrays:
        return
    module, named = getattr(value, "__module__", None) or "", getattr(value, "__name__", "")
    if isinstance(value, ModuleType):
        into.imports[name] = f"import {value.__name__}" + (f" as {name}" if value.__name__ != name else "")
    elif isinstance(value, FunctionType) and module == function.__module__:
        if named != name:
            raise InputError("notebook.other_name", function=function.__name__, name=name, found=named)
        _gather(value, into)
    elif module != function.__module__ and named and getattr(sys.modules.get(module), named, None) is value:
        into.imports[name] = f"from {module} import {named}" + (f" as {name}" if named != name else "")
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        into.arrays[name] = value
    elif _is_literal(value):
        into.values[name] = f"{name} = {value!r}"
    else:
        raise InputError("notebook.cannot_carry", function=function.__name__, name=name, found=type(value).__name__)


def _is_literal(value: Any) -> bool:
    try:
        return len(spelled := repr(value)) <= _MOST_LITERAL and bool(ast.literal_eval(spelled) == value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
