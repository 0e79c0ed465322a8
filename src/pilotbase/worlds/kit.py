"""What worlds are made of: draws from a seed, phrases, an episode that calls its tools, a user who follows a script.

A world's folder holds a copy, which is loaded in the world's box: the standard library only. Nothing here has a clock,
a global state or chance.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import tomllib
import unicodedata
from collections.abc import Callable, Container, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")
Act = dict[str, Any]
"""A call of a tool: ``{"tool": name, "arguments": {…}}``."""
Tree = dict[str, Any]
_WORD = 32


class ToolError(Exception):
    """A tool refuses or fails: its text is what the application sees as the result of its call."""


class Stream:
    """Draws of one purpose: SHA-256 of seed, purpose and a counter, the same on every machine and Python.

    Each purpose (``world``, ``user``, ``error``, ``attack``) has its own stream, so that one more draw in one place
    changes nothing elsewhere.
    """

    def __init__(self, seed: bytes, purpose: str) -> None:
        self._key = hashlib.sha256(seed + purpose.encode()).digest()
        self._blocks = self._left = self._pool = 0

    def below(self, count: int) -> int:
        """Return a whole number from 0 to ``count`` - 1, each equally likely."""
        words = 1 + (count - 1).bit_length() // _WORD
        bound = (1 << _WORD * words) // count * count
        while True:
            drawn = 0
            for _ in range(words):
                drawn = drawn << _WORD | self._word()
            if drawn < bound:
                return drawn % count

    def between(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def choice(self, items: Sequence[Item]) -> Item:
        """Return one of ``items``."""
        return items[self.below(len(items))]

    def sample(self, items: Sequence[Item], count: int) -> list[Item]:
        """Return ``count`` different entries of ``items``, in drawn order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(count)]

    def digits(self, count: int) -> str:
        """Return ``count`` decimal digits; the first is not 0."""
        return str(self.between(10 ** (count - 1), 10**count - 1))

    def code(self, prefix: str, digits: int, taken: Container[str] = ()) -> str:
        """Return ``prefix`` with ``digits`` decimal digits that is none of ``taken``."""
        while (code := f"{prefix}{self.digits(digits)}") in taken:
            pass
        return code

    def _word(self) -> int:
        if not self._left:
            block = hashlib.sha256(self._key + self._blocks.to_bytes(8, "big")).digest()
            self._pool, self._left, self._blocks = int.from_bytes(block, "big"), 256 // _WORD, self._blocks + 1
        word = self._pool & (1 << _WORD) - 1
        self._pool, self._left = self._pool >> _WORD, self._left - 1
        return word


@cache
def read_phrases(folder: Path, name: str = "phrases.toml") -> Tree:
    """Return the phrases of a world's folder, those of its folder ``sealed`` put in, if it is there.

    Lists are joined, tables merged. A practice copy of the folder has no ``sealed``.
    """
    found: Tree = {}
    for file in (folder / name, folder / "sealed" / name):
        if file.exists():
            found = _merged(found, tomllib.loads(file.read_text("utf-8")))
    return found


def _merged(first: Any, second: Any) -> Any:
    if isinstance(first, dict) and isinstance(second, dict):
        return {key: _merged(first[key], second[key]) if key in first and key in second else (first | second)[key]
                for key in first | second}  # fmt: skip
    return first + second if isinstance(first, list) and isinstance(second, list) else second


class Templates(NamedTuple):
    """What makes the episodes of a world: name → function."""

    every: Mapping[str, Callable[[Any], Any]]
    sealed: frozenset[str]
    """Names of those in the folder ``sealed``."""


@cache
def read_templates(folder: Path, name: str = "templates.py") -> Templates:
    """Return ``TEMPLATES`` of the file, and of that of the same name in the folder ``sealed``, if it is there."""
    public = _templates(folder / name)
    sealed = _templates(folder / "sealed" / name) if (folder / "sealed" / name).exists() else {}
    return Templates({**public, **sealed}, frozenset(sealed))


def _templates(file: Path) -> Mapping[str, Callable[[Any], Any]]:
    spec = importlib.util.spec_from_file_location(f"{file.parent.name}_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ImportError(str(file))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Mapping[str, Callable[[Any], Any]] = module.TEMPLATES
    return found


def cents(amount: object) -> int:
    """Return a sum of money in cents, so that 25 and 25.0 are one act.

    Raises:
        ToolError: ``amount`` is no number, or finer than a cent.
    """
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not -1e12 < amount < 1e12:
        raise ToolError(f"not a sum of money: {amount}")
    found = round(amount * 100)
    if abs(amount * 100 - found) > 1e-6:
        raise ToolError(f"finer than a cent: {amount}")
    return found


def in_units(found: int) -> str:
    """Return cents as they are written: ``1234`` is ``12.34``."""
    return f"{found // 100}.{found % 100:02d}"


def fold(words: str) -> str:
    """Return ``words`` without differences of width, case and spacing."""
    return " ".join(unicodedata.normalize("NFKC", words).casefold().split())


class Slot:
    """One fact that a user knows: how people ask for it, and how this one says it.

    ``asks``: patterns; ``says`` and ``corrects``: phrases with ``{value}``. ``slip``: a wrong value that the user gives
    first, and corrects when asked again or when it is read back.
    """

    def __init__(self, asks: Sequence[str], says: str, value: str, slip: str = "", corrects: str = "") -> None:
        self._asks = re.compile("|".join(asks))
        self._says, self._value, self._slip, self._corrects = says, value, slip, corrects
        self._slipped = False

    def answer(self, heard: str) -> str:
        """Return what the user says to it; empty if it was not asked for."""
        asked = bool(self._asks.search(heard))
        if self._slipped and (asked or fold(self._slip) in heard):
            self._slip, self._slipped = "", False
            return self._corrects.format(value=self._value)
        if not asked:
            return ""
        self._slipped = bool(self._slip)
        return self._says.format(value=self._slip or self._value)


class User:
    """A person who follows a script: says what they know when asked for it, and never more.

    ``words``: lists of their phrases, ``otherwise``, ``as_asked``, ``bye`` and ``gone``, and of the patterns
    ``confirms`` and ``ends`` of what they understand besides the slots. Each answer but a farewell costs patience;
    without any left, they leave.
    """

    def __init__(self, draw: Stream, words: Mapping[str, Sequence[str]], slots: Sequence[Slot], patience: int) -> None:
        self._draw, self._words, self._slots = draw, words, slots
        self._confirms, self._ends = (re.compile("|".join(words[name])) for name in ("confirms", "ends"))
        self._patience = patience
        self.first: list[str] = []
        """What they say next, whatever they are told: they changed their mind, or insist."""
        self.gone = False

    def hear(self, words: str) -> str:
        """Return their answer; empty once they have left."""
        if self.gone:
            return ""
        if self.first:
            return self.first.pop(0)
        heard = fold(words)
        if answers := [answer for slot in self._slots if (answer := slot.answer(heard))]:
            self._bear()
            return " ".join(answers)
        if self._ends.search(heard):
            self.gone = True
            return self._phrase("bye")
        if self._confirms.search(heard):
            self._bear()
            return self._phrase("as_asked")
        self._bear()
        return self._phrase("gone" if self.gone else "otherwise")

    def decline(self) -> bool:
        """Say no to an act, which costs twice the patience: who tries until something is wanted loses them."""
        self._bear(2)
        return False

    def _bear(self, cost: int = 1) -> None:
        self._patience -= cost
        self.gone = self._patience <= 0

    def _phrase(self, name: str) -> str:
        return self._draw.choice(self._words[name])


class Episode:
    """The base of episodes: a tool ``name`` is the method ``do_name``, which takes its arguments and returns JSON.

    The arm ``tool_error`` makes one of the first three calls fail once, with the text ``busy``. Under ``slow`` one of
    them has to be made again two to four times before it is carried out: until then its result is the text ``slow``.
    """

    busy, slow = "busy", "not done yet: make the same call again"
    task = ""
    user: User | None = None
    """Whoever is spoken to; without one, nobody answers."""
    ended = False
    """Whether the goal can't change any more, whatever the user does."""

    def __init__(self, template: str, seed: bytes, language: str, arm: str) -> None:
        self.template, self.seed, self.language, self.arm = template, seed, language, arm
        self.draw = Stream(seed, "world")
        self._calls = 0
        errors = Stream(seed, "error")
        self._fails = errors.below(3)
        self._waits = errors.between(2, 4) if arm == "slow" else 0
        self._slow_call: tuple[str, Mapping[str, Any]] | None = None

    @property
    def done(self) -> bool:
        """Return whether nothing can change any more: it has ended, or the user has left."""
        return self.ended or (self.user is not None and self.user.gone)

    def say(self, text: str) -> str:
        """Return what the user answers."""
        return "" if self.user is None else self.user.hear(text)

    def call(self, tool: str, arguments: Mapping[str, Any]) -> object:
        """Return the result of a tool.

        Raises:
            ToolError: the tool refuses or fails.
        """
        self._calls += 1
        if self._calls - 1 == self._fails:
            if self.arm == "tool_error":
                raise ToolError(self.busy)
            self._slow_call = (tool, dict(arguments))
        if self._waits and self._slow_call == (tool, arguments):
            self._waits -= 1
            raise ToolError(self.slow)
        found: object = getattr(self, f"do_{tool}")(**arguments)
        return found


class Oracle:
    """The base of oracles: plays ``path()`` of its episode, the acts of a person who knows what to do.

    A call that fails or is declined is made again once, one that is slow until it is done. What ``path`` yields may
    depend on the episode, which has changed by then.
    """

    def __init__(self, episode: Any) -> None:
        self._path, self._slow = iter(episode.path()), episode.slow
        self._last: Act | None = None
        self._tries = 0

    def act(self, observation: Mapping[str, Any]) -> list[Act]:
        """Return the next act."""
        results = observation.get("results") or ()
        failed = [one["content"] for one in results if one["error"]]
        if self._last and failed and (self._tries < 1 or self._slow in failed):
            self._tries += 1
            return [self._last]
        self._last, self._tries = next(self._path, None), 0
        return [self._last or {"done": True}]
