"""Sixty demands as people write them, with what a careful reader takes from each.

``labelled/drafts_dev.txt`` and ``drafts_test.txt`` hold fifteen in Chinese and fifteen in English each, written
apart. A demand begins with a line ``= language sector task data | field value | …``; ``a/b``: either is right, ``?``:
the text does not say, so that only nothing or a guess is right. Both halves were written and labelled by one author,
a language model at work on this project, before there was a rule. Rules and terms were then chosen on dev; terms that
stood in test alone were taken out again before it was measured. Figures on test are kinder than those of demands by
others.
"""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "labelled"
KINDS = ("sector", "task", "data")
_PATHS = {"miss": "costs.miss", "false_alarm": "costs.false_alarm", "leave": "conditions.data_may_leave"}


@dataclass(frozen=True)
class LabelledDemand:
    """A text; for each kind what is right; and field → what it must say, spelled (``30000 CNY``)."""

    text: str
    language: str
    right: dict
    fields: dict


def labelled_demands(half):
    """Return the demands of the ``dev`` or the ``test`` half."""
    said = (FOLDER / f"drafts_{half}.txt").read_text("utf-8").split("\n= ")[1:]
    return [_demand(*one.split("\n", 1)) for one in said]


def is_right(demand, draft, kind):
    """Return whether a draft is right about a kind; where the text does not say, nothing or a guess is."""
    found, right = draft.field(kind), demand.right[kind]
    unsaid = "?" in right and (found is None or found.band == "guess")
    return unsaid or (found is not None and found.value in right)


def _demand(head, words):
    first, *fields = (part.strip() for part in head.split("|"))
    language, *kinds = first.split()
    right = {kind: set(told.split("/")) for kind, told in zip(KINDS, kinds, strict=True)}
    stated = (one.split(" ", 1) for one in fields if one)
    return LabelledDemand(words.strip(), language, right, {_PATHS.get(name, name): value for name, value in stated})
