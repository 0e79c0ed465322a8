"""Perturbations of texts, English and Chinese: slips of the hand, of the scanner, of the form; none changes the sense.

``share`` is the probability of each letter to be touched (of each text, for paraphrases).
"""

from abc import abstractmethod

import numpy as np

from pilotbase.measures.characters import HOMOPHONES, LOOK_ALIKES, NEIGHBOURS, OTHER_SCRIPT
from pilotbase.measures.perturbations.definition import COLUMNS, SHARE, Column, FieldRef, Perturbation

_TEMPLATES = {
    "en": (
        ("Please note: ", ""),
        ("Hello, ", ""),
        ("For your information: ", ""),
        ("", " Thank you."),
        ("", " (as told)"),
    ),
    "zh": (("您好，", ""), ("情况如下：", ""), ("现说明：", ""), ("", "谢谢。"), ("", "请知悉。")),
}
_FIRST_CJK, _LAST_CJK = "\u4e00", "\u9fff"
_FULL = 0xFEE0
"""From an ASCII sign to the same of full width."""


class _OfLetters(Perturbation):
    """A change of single letters; a text is never emptied."""

    kinds = frozenset({"text"})
    parameters = (SHARE, COLUMNS)

    def change(self, column: Column, place: FieldRef) -> Column:
        changed = np.empty(len(column), dtype=object)
        changed[:] = [None if value is None else self._rewritten(value, place) for value in column.tolist()]
        return changed

    @abstractmethod
    def letter(self, letters: str, index: int, draw: float) -> str:
        """Return the replacement of ``letters[index]``; ``draw`` is uniform in [0, 1)."""

    def _rewritten(self, value: str, place: FieldRef) -> str:
        draws = place.random.random((2, len(value)))
        touched = draws[0] < self.number("share")
        pieces = [
            self.letter(value, index, draw) if hit else value[index]
            for index, (hit, draw) in enumerate(zip(touched.tolist(), draws[1].tolist(), strict=True))
        ]
        return "".join(pieces) or value


class Typos(_OfLetters):
    """Slips of typing: a letter doubled, left out, or hit beside; in Chinese a character of the same sound."""

    name = "typos"

    def letter(self, letters: str, index: int, draw: float) -> str:
        found = letters[index]
        if not found.isalpha():
            return found
        beside = NEIGHBOURS.get(found.lower(), "") or HOMOPHONES.get(found, "")
        if draw < 0.5 and beside:
            chosen = beside[int(draw * 2 * len(beside))]
            return chosen.upper() if found.isupper() else chosen
        return found * 2 if draw < 0.75 else ""


class Ocr(_OfLetters):
    """Slips of a scanner: a sign for one that looks like it."""

    name = "ocr"

    def letter(self, letters: str, index: int, draw: float) -> str:
        likes = LOOK_ALIKES.get(letters[index], ())
        return likes[int(draw * len(likes))] if likes else letters[index]


class Width(_OfLetters):
    """Signs of full width for ASCII ones, and the reverse."""

    name = "width"

    def letter(self, letters: str, index: int, draw: float) -> str:
        found = letters[index]
        if found in " \u3000":
            return "\u3000" if found == " " else " "
        if "!" <= found <= "~":
            return chr(ord(found) + _FULL)
        return chr(ord(found) - _FULL) if "\uff01" <= found <= "\uff5e" else found


class Script(_OfLetters):
    """Traditional characters for simplified ones, and the reverse, from a table of the commonest."""

    name = "script"

    def letter(self, letters: str, index: int, draw: float) -> str:
        return OTHER_SCRIPT.get(letters[index], letters[index])


class Paraphrase(Perturbation):
    """Puts polite words before or after a text with probability ``share``, in the language it is in."""

    name = "paraphrase"
    kinds = frozenset({"text"})
    parameters = (SHARE, COLUMNS)

    def change(self, column: Column, place: FieldRef) -> Column:
        draws = place.random.random((2, len(column)))
        touched = draws[0] < self.number("share")
        changed = np.empty(len(column), dtype=object)
        changed[:] = [
            _framed(value, draw) if hit and value is not None else value
            for value, hit, draw in zip(column.tolist(), touched.tolist(), draws[1].tolist(), strict=True)
        ]
        return changed


def _framed(value: str, draw: float) -> str:
    chinese = any(_FIRST_CJK <= letter <= _LAST_CJK for letter in value)
    templates = _TEMPLATES["zh" if chinese else "en"]
    before, after = templates[int(draw * len(templates))]
    return f"{before}{value}{after}"
