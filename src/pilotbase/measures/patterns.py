r"""Regular expressions in bounded time: all alternatives advance together, letter by letter, without backtracking.

An answer could be written so that Python's ``re`` takes years over a pattern such as ``(a+)+b``. Supported are
letters, ``.``, ``[a-z]``, ``[^…]``, ``\d \w \s \D \W \S``, ``( )``, ``(?: )``, ``|``, ``* + ? {2} {2,} {2,5}``, ``^``,
``$`` and ``(?i)`` at the beginning; a backslash escapes a sign. Anything else is refused. ``.`` is any letter,
including line ends; ``^`` and ``$`` are the ends of the text.

Source: Thompson, "Regular expression search algorithm", CACM 11:419, 1968; Cox, "Regular expression matching can be
simple and fast", 2007 (sets of states are kept as states of a deterministic automaton).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from pilotbase.documents.errors import InputError

Accepts = Callable[[str], bool]

_START, _END = "\x00start", "\x00end"
"""In place of a letter before the first and behind the last."""
_MOST_STATES = 500
_MOST_KEPT = 5_000
_CLASSES: dict[str, Accepts] = {
    "d": str.isdecimal,
    "w": lambda letter: letter.isalnum() or letter == "_",
    "s": str.isspace,
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_SPECIAL = "\\^$.[]|()?*+{}"


@dataclass(frozen=True)
class _Piece:
    """A part of the automaton: where it begins, and the states whose way on is still open."""

    start: int
    ends: tuple[int, ...]


@dataclass
class Pattern:
    """One compiled pattern. ``accepts[i]``: which letter leads on from state i (None: any way on costs no letter)."""

    accepts: list[Accepts | None] = field(default_factory=list)
    ways: list[list[int]] = field(default_factory=list)
    ignores_case: bool = False
    start: int = 0
    final: int = 0
    _steps: dict[tuple[frozenset[int], str], frozenset[int]] = field(default_factory=dict)

    def found_in(self, text: str) -> bool:
        """Return whether ``text`` contains a match anywhere."""
        here = begun = self._reached([self.start])
        for letter in (_START, *(text.lower() if self.ignores_case else text), _END):
            if self.final in here:
                return True
            key = (here, letter)
            after = self._steps.get(key)
            if after is None:
                on = [way for state in here if self._takes(state, letter) for way in self.ways[state]]
                after = self._reached(on) | begun
                if len(self._steps) >= _MOST_KEPT:
                    self._steps.clear()
                self._steps[key] = after
            here = after
        return self.final in here

    def add(self, accepts: Accepts | None, *ways: int) -> int:
        if len(self.ways) >= _MOST_STATES:
            raise ValueError(f"> {_MOST_STATES}")
        self.accepts.append(accepts)
        self.ways.append(list(ways))
        return len(self.ways) - 1

    def _takes(self, state: int, letter: str) -> bool:
        accepts = self.accepts[state]
        return accepts is not None and accepts(letter)

    def _reached(self, states: list[int]) -> frozenset[int]:
        """Return the states that are reached without a letter."""
        found, open_ = set(states), list(states)
        while open_:
            state = open_.pop()
            if self.accepts[state] is None:
                fresh = [way for way in self.ways[state] if way not in found]
                found.update(fresh)
                open_.extend(fresh)
        return frozenset(found)


@lru_cache(maxsize=256)
def compiled(source: str) -> Pattern:
    """Compile the pattern ``source``.

    Raises:
        InputError: ``measure.pattern``, with the place of the first unsupported syntax.
    """
    reader = _Reader(source)
    try:
        return reader.whole()
    except (ValueError, IndexError, RecursionError):
        raise InputError("measure.pattern", found=source[:60], place=min(reader.place, len(source)) + 1) from None


class _Reader:
    """Reads a pattern by recursive descent and builds its automaton; raises `ValueError` for unsupported syntax."""

    def __init__(self, source: str) -> None:
        self.source, self.place, self.made = source, 0, Pattern()

    def whole(self) -> Pattern:
        if self.source.startswith("(?i)"):
            self.made.ignores_case, self.place = True, 4
        piece = self._either()
        if self.place < len(self.source):
            raise ValueError(self.source[self.place])
        self.made.final = self.made.add(None)
        self.made.start = piece.start
        self._join(piece, self.made.final)
        return self.made

    def _either(self) -> _Piece:
        pieces = [self._sequence()]
        while self._eat("|"):
            pieces.append(self._sequence())
        if len(pieces) == 1:
            return pieces[0]
        start = self.made.add(None, *(piece.start for piece in pieces))
        return _Piece(start, tuple(end for piece in pieces for end in piece.ends))

    def _sequence(self) -> _Piece:
        whole = self._nothing()
        while self.place < len(self.source) and self.source[self.place] not in "|)":
            whole = self._after(whole, self._repeated())
        return whole

    def _repeated(self) -> _Piece:
        began = self.place
        piece = self._atom()
        least, most = self._count()
        ended, whole = self.place, self._nothing()
        copies = max(least, 1) if most is None else most
        for copy in range(1, copies + 1):
            if copy > 1:
                self.place = began
                piece = self._atom()
            looped = self._looped(piece) if most is None and copy == copies else piece
            whole = self._after(whole, looped if copy <= least else self._optional(looped))
        self.place = ended
        return whole

    def _looped(self, piece: _Piece) -> _Piece:
        again = self.made.add(None, piece.start)
        self._join(piece, again)
        return _Piece(piece.start, (again,))

    def _optional(self, piece: _Piece) -> _Piece:
        start = self.made.add(None, piece.start)
        return _Piece(start, (start, *piece.ends))

    def _count(self) -> tuple[int, int | None]:
        """Return how often the preceding item repeats: at least, at most (None = unlimited)."""
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._eat(sign):
                return counts
        if not self._eat("{"):
            return 1, 1
        least, comma, most = self._until("}").partition(",")
        found = int(least), (int(most) if most else None) if comma else int(least)
        if found[1] is not None and found[1] < found[0]:
            raise ValueError(most)
        return found

    def _atom(self) -> _Piece:
        if self._eat("("):
            if self._eat("?") and not self._eat(":"):
                raise ValueError("(?")
            piece = self._either()
            if not self._eat(")"):
                raise ValueError("(")
            return piece
        state = self.made.add(self._letters())
        return _Piece(state, (state,))

    def _letters(self) -> Accepts:
        sign = self._next()
        if sign in "^$":
            wanted = _START if sign == "^" else _END
            return lambda letter: letter == wanted
        if sign == ".":
            return lambda letter: len(letter) == 1
        if sign == "[":
            return self._set()
        if sign == "\\":
            return self._escaped()
        if sign in _SPECIAL:
            raise ValueError(sign)
        return self._same(sign)

    def _set(self) -> Accepts:
        turned = self._eat("^")
        members: list[Accepts] = []
        while not members or self.source[self.place] != "]":
            sign = self._next()
            if sign == "\\":
                members.append(self._escaped())
            elif self.source[self.place : self.place + 1] == "-" and self.source[self.place + 1] != "]":
                self.place += 1
                members.append(self._between(sign, self._next()))
            else:
                members.append(self._same(sign))
        self.place += 1
        if turned:
            return lambda letter: len(letter) == 1 and not any(one(letter) for one in members)
        return lambda letter: any(one(letter) for one in members)

    def _escaped(self) -> Accepts:
        sign = self._next()
        if sign.lower() in _CLASSES:
            of_class = _CLASSES[sign.lower()]
            if sign.islower():
                return lambda letter: len(letter) == 1 and of_class(letter)
            return lambda letter: len(letter) == 1 and not of_class(letter)
        if sign.isalnum() and sign not in _ESCAPES:
            raise ValueError(sign)
        return self._same(_ESCAPES.get(sign, sign))

    def _same(self, sign: str) -> Accepts:
        wanted = sign.lower() if self.made.ignores_case else sign
        return lambda letter: letter == wanted

    def _between(self, low: str, high: str) -> Accepts:
        if high == "\\" or high < low:
            raise ValueError(high)
        if self.made.ignores_case:
            return lambda letter: len(letter) == 1 and (low <= letter <= high or low <= letter.upper() <= high)
        return lambda letter: len(letter) == 1 and low <= letter <= high

    def _nothing(self) -> _Piece:
        state = self.made.add(None)
        return _Piece(state, (state,))

    def _after(self, one: _Piece, two: _Piece) -> _Piece:
        self._join(one, two.start)
        return _Piece(one.start, two.ends)

    def _join(self, piece: _Piece, to: int) -> None:
        for end in piece.ends:
            self.made.ways[end].append(to)

    def _eat(self, sign: str) -> bool:
        there = self.source.startswith(sign, self.place)
        self.place += len(sign) if there else 0
        return there

    def _next(self) -> str:
        self.place += 1
        return self.source[self.place - 1]

    def _until(self, sign: str) -> str:
        end = self.source.index(sign, self.place)
        found, self.place = self.source[self.place : end], end + 1
        return found
