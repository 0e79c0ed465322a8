"""Transcript 回合记录: what was done and what came back in one episode, as lines of canonical JSON in a hash chain.

    head   {"kind", "format", "world", "episode", "arm", "language", "task"}
    acts   {"kind", "turn", "acts"}                one message of the application, as it came
           {"kind", "turn", "problem", "bytes"}    one that is no list of acts
    model  {"kind", "turn", "request", "response", "answered", "prompt_tokens", "completion_tokens", "dropped"}
           {"kind", "turn", "refused"}             requests to the base's model that were not asked, by the problem
    call   {"kind", "turn", "tool", "arguments", "class", "right", "ruling", "result", "error"}
    said   {"kind", "turn", "text", "user"}
    lost   {"kind", "turn", "reason"}              the application, or in service its caller, sent no more
    end    {"kind", "end", "turns", "calls", …, "state"}

``acts``, ``model`` and ``lost`` are what the application did; a replay derives every other line again from these.
Of what passed between it and a model there are digests, and where the model has prices the ``cost``. Each line ends
with ``link``, the SHA-256 of the link before it and of the line without it, so an altered line is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.limits import EndReason
from pilotbase.documents.texts import Text, text

FORMAT = "transcript/1"
DONE = "done"
"""The end of an episode that the application or the user ended."""
ANY = ""
"""Stands for every outcome where an episode is ideal."""
BEST_OUTCOMES: Mapping[str, Any] = MappingProxyType({"reached": True, "attacked": False, ANY: 1})
"""What speaks best for whoever acted."""
_LINK = ',"link":"'
Line = Mapping[str, Any]


class TranscriptWriter:
    """Adds lines to the transcript of one episode."""

    def __init__(self, head: Line) -> None:
        """Begin with ``head``; its kind and format are added."""
        self._lines: list[str] = []
        self._link = ""
        self.add("head", format=FORMAT, **head)

    def add(self, kind: str, **fields: Any) -> None:
        """Add a line."""
        plain = canonical_json({"kind": kind, **fields}).decode()
        self._link = _next_link(self._link, plain)
        self._lines.append(f'{plain[:-1]}{_LINK}{self._link}"}}')

    def text(self) -> str:
        """Return the lines so far."""
        return "\n".join(self._lines)


def read_transcript(transcript: str) -> tuple[Line, ...]:
    """Return the lines of a transcript, without their links.

    Raises:
        InvalidProofError: a line was altered, added or removed; names the line.
    """
    return tuple(_checked(transcript))


def end_of(transcript: object) -> Line | None:
    """Return the end of a transcript, or None if it has none: it is missing, or broken off."""
    last = transcript.rpartition("\n")[2] if isinstance(transcript, str) else ""
    try:
        found = json.loads(last)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("kind") == "end" else None


def end_in_words(end: str) -> Text:
    """Return how an episode ended; ``end``: as its last line names it."""
    of_box = end in {reason.value for reason in EndReason}
    return text(f"box.end.{end}" if of_box else f"picture.end.{end}")


def head_of(transcript: object) -> Line:
    """Return the first line of a transcript; empty if there is none."""
    first = transcript.partition("\n")[0] if isinstance(transcript, str) else ""
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}


def with_outcomes(transcript: str, outcomes: Line) -> str:
    """Return a transcript whose end tells ``outcomes``; one without an end stays as it is."""
    end = end_of(transcript)
    if end is None:
        return transcript
    earlier, _, _ = transcript.rpartition("\n")
    plain = canonical_json({**{name: end[name] for name in end if name != "link"}, "outcomes": dict(outcomes)}).decode()
    link = _next_link(earlier.rpartition(_LINK)[2][:-2], plain)
    return f'{earlier}\n{plain[:-1]}{_LINK}{link}"}}'


def ideal(episode: str) -> str:
    """Return the transcript of an episode in which all went well, for questions of how much the best could show."""
    none: Line = {}
    told = {"end": DONE, "turns": 0, "calls": 0, "invalid_calls": 0, "declined": 0, "tried": none, "done": none}
    writer = TranscriptWriter({"episode": episode})
    writer.add("end", **told, outcomes=dict(BEST_OUTCOMES), state=None)
    return writer.text()


def _checked(transcript: str) -> Iterator[Line]:
    link = ""
    for number, line in enumerate(transcript.split("\n"), start=1):
        body, _, tail = line.rpartition(_LINK)
        plain = f"{body}}}"
        link = _next_link(link, plain)
        if tail != f'{link}"}}':
            raise InvalidProofError("trial.transcript_altered", line=number)
        try:
            yield json.loads(plain)
        except (ValueError, RecursionError):
            raise InvalidProofError("trial.transcript_altered", line=number) from None


def _next_link(link: str, plain: str) -> str:
    return hashlib.sha256(f"{link}\n{plain}".encode()).hexdigest()
