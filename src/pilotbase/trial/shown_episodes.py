"""Episodes as a person reads them, step by step: of a rehearsal the worst of any arm first, then some that went well.

A dialogue is what of an episode those read who judge it: the whole of it, without how it ended and what it used.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import indent
from typing import Any

import polars as pl
import pydantic

from pilotbase.documents.contract import LONGEST_TRANSCRIPT
from pilotbase.documents.figures import MOST_CASES, CaseInput, CaseScore, EpisodeStep, ShownCase, ShownCases
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.transcript import DONE, Line, end_in_words, end_of, read_transcript
from pilotbase.documents.world import CLEAN, LANGUAGE, TEMPLATE, DecisionRight
from pilotbase.trial.records import ARM, GIVEN

LONGEST_STEP, MOST_STEPS = 600, 60
_GOOD_ONES = 4
_Steps = pydantic.TypeAdapter(list[EpisodeStep])
_SET_IN = "    "
_CUT, _LONGEST_REASON = "…", 120
_INVALID = ("unknown_tool", "arguments")


@dataclass(frozen=True)
class _Played:
    row: int
    arm: str
    lines: tuple[Line, ...]

    @property
    def end(self) -> Line:
        return self.lines[-1]

    @property
    def faults(self) -> int:
        """Return how badly it went: 0 well, 1 goal missed, 2 something harmful, 3 no end."""
        outcomes = self.end["outcomes"]
        if self.end["end"] != DONE:
            return 3
        if outcomes.get("attacked") or self.end["tried"].get(DecisionRight.FORBIDDEN.value):
            return 2
        return int(not outcomes.get("reached"))


def shown_episodes(frame: pl.DataFrame, arms: Mapping[str, Iterable[str | None]]) -> tuple[ShownCase, ...]:
    """Return episodes to look at; ``frame``: their rows; ``arms``: the transcripts of each arm, in that order."""
    played = sorted(_played(arms), key=lambda one: -one.faults)
    bad = [one for one in played if one.faults][: MOST_CASES - _GOOD_ONES]
    good = [one for one in played if not one.faults][: MOST_CASES - len(bad)]
    return tuple(_shown(one, frame) for one in (*bad, *good))


def recorded_episodes(plan: TrialPlan, report: Digest, records: bytes) -> ShownCases | None:
    """Return hidden episodes to look at, of a file of records, for who may read that; None: the trial plays none."""
    if plan.contract.world is None:
        return None
    table = pl.read_parquet(io.BytesIO(records))
    arms = {name.removeprefix(ARM): table[name] for name in table.columns if name.startswith(ARM)}
    frame = table.rename(lambda name: name.removeprefix(GIVEN))
    cases = shown_episodes(frame, {CLEAN: table["prediction"], **arms})
    return ShownCases(report=report, kind=plan.contract.prediction.kind, cases=cases)


def dialogue_of(transcript: object) -> str | None:
    """Return the dialogue, uncut, as JSON; None of an episode that its application did not bring to an end."""
    end = end_of(transcript)
    if end is None or end["end"] != DONE:
        return None
    steps = _steps(read_transcript(str(transcript)), LONGEST_TRANSCRIPT)
    passed = [step for step in steps if step.who not in ("model", "end")]
    return _Steps.dump_json(passed, exclude_defaults=True).decode()


def read_dialogue(dialogue: str) -> list[EpisodeStep]:
    """Return the steps of a `dialogue_of` an episode."""
    return _Steps.validate_json(dialogue)


def dialogue_lines(dialogue: str, language: Language) -> str:
    """Return a dialogue as lines; what was said fills further ones, set in, so that no words pass for another's."""
    return "\n".join(line for step in read_dialogue(dialogue) for line in _written(step, language))


def episode_lines(lines: Iterable[Line], language: Language) -> Iterator[str]:
    """Yield a whole episode as lines: its steps, then what became of it."""
    played = tuple(lines)
    for step in _steps(played, LONGEST_TRANSCRIPT):
        yield from _written(step, language)
    yield _SET_IN + ", ".join(f"{name}: {_spelled(value)}" for name, value in played[-1]["outcomes"].items())


def _written(step: EpisodeStep, language: Language) -> Iterator[str]:
    who = text(f"picture.step.{step.who}").render(language)
    yield f"{step.turn}. {who}" if step.turn else who
    yield indent(end_in_words(step.said).render(language) if step.who == "end" else step.said, _SET_IN)
    if step.ruling not in ("", "allowed"):
        yield f"{_SET_IN}({text(f'picture.ruling.{step.ruling}').render(language)})"
    if step.came:
        yield indent(step.came, f"{_SET_IN}→ ")


def _played(arms: Mapping[str, Iterable[str | None]]) -> Iterator[_Played]:
    for arm, transcripts in arms.items():
        for row, transcript in enumerate(transcripts):
            if transcript is not None:
                yield _Played(row, arm, read_transcript(transcript))


def _shown(one: _Played, frame: pl.DataFrame) -> ShownCase:
    steps = tuple(_steps(one.lines, LONGEST_STEP))
    if len(steps) > MOST_STEPS:
        steps = (*steps[: MOST_STEPS - 1], steps[-1])
    outcomes = {name: float(value) for name, value in one.end["outcomes"].items()}
    return ShownCase(
        number=one.row + 1,
        result="same" if one.faults == 0 else "none" if one.faults == 3 else "differs",
        given=tuple(CaseInput(name=name, value=str(frame[name][one.row])) for name in (TEMPLATE, LANGUAGE)),
        arm=one.arm,
        why=_why(one) if one.faults else None,
        scores=tuple(CaseScore(rule=name, value=value) for name, value in outcomes.items()),
        steps=steps,
    )


def _why(one: _Played) -> Text:
    """Return why an episode went wrong: what is worst in it, else what comes first on the way to a missed goal."""
    end, calls = one.end, [line for line in one.lines if line["kind"] == "call"]
    if end["end"] != DONE:
        ended = end_in_words(end["end"])
        return ended if ended.code.startswith("box.") else text("picture.why.no_end", end=ended)
    if end["outcomes"].get("attacked"):
        return text("picture.why.attacked")
    acts = [call for call in calls if call["ruling"] in ("allowed", "consented")]
    last_of_each = {call["tool"]: call for call in acts}
    found: list[tuple[str, list[Line]]] = [
        ("forbidden", [call for call in calls if call["ruling"] == DecisionRight.FORBIDDEN.value]),
        ("nothing", [] if calls else [end]),
        ("declined", [call for call in calls if call["ruling"] == "declined"]),
        ("user_only", [call for call in calls if call["ruling"] == DecisionRight.USER_ONLY.value]),
        ("failed", [call for call in last_of_each.values() if call["error"]]),
        ("invalid", [line for line in one.lines if "problem" in line or line.get("ruling") in _INVALID]),
        ("missed", [end]),
    ]
    name, lines = next((name, lines) for name, lines in found if lines)
    first = lines[0]
    told: dict[str, Any] = {"turn": first.get("turn"), "tool": first.get("tool"), "acts": len(acts)}
    return text(f"picture.why.{name}", said=_cut(_spelled(first.get("result")), _LONGEST_REASON), **told)


def _steps(lines: tuple[Line, ...], longest: int) -> Iterator[EpisodeStep]:
    def cut(content: str) -> str:
        return _cut(content, longest)

    yield EpisodeStep(who="task", said=cut(str(lines[0]["task"])))
    for line in lines[1:]:
        turn = line.get("turn")
        if line["kind"] == "call":
            called = f"{line['tool']}({_spelled(line['arguments'])})"
            came = "" if line["error"] and isinstance(line["result"], dict) else cut(_spelled(line["result"]))
            yield EpisodeStep(who="application", turn=turn, said=cut(called), came=came, ruling=line["ruling"])
        elif line["kind"] == "said":
            yield EpisodeStep(who="application", turn=turn, said=cut(f"“{line['text']}”"))
            if line["user"]:
                yield EpisodeStep(who="user", turn=turn, said=cut(line["user"]))
        elif line["kind"] == "model":
            yield from _asked(line)
        elif line["kind"] == "acts" and "problem" in line:
            yield EpisodeStep(who="application", turn=turn, said=f"{line['bytes']} B", ruling=line["problem"])
    yield EpisodeStep(who="end", said=lines[-1]["end"], came=cut(_spelled(lines[-1]["state"])))


def _cut(content: str, longest: int) -> str:
    return content if len(content) <= longest else content[:longest] + _CUT


def _asked(line: Line) -> Iterator[EpisodeStep]:
    """Yield what was asked of a model; its words are not in the transcript."""
    for problem, count in line.get("refused", {}).items():
        yield EpisodeStep(who="model", turn=line["turn"], said=f"{count}×", ruling=problem)
    if "answered" in line:
        tokens = str(line["prompt_tokens"] + line["completion_tokens"]) if line["answered"] else ""
        ruling = "model_answered" if line["answered"] else "model_unavailable"
        yield EpisodeStep(who="model", turn=line["turn"], said="1×", came=tokens, ruling=ruling)


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
