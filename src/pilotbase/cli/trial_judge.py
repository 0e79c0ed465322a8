"""``pilotbase trial judge`` and ``calibrate``: a judge model scores all answers, people label a few, and correct it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.terminal import command, print_json, progress_shown, say
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from pilotbase.documents.judge import Calibration
    from pilotbase.trial.judging.folder import FinishedJudging

AsJson = Annotated[bool, typer.Option("--json", help="Print the document.")]


@command
def judge(
    cases: Annotated[Path, typer.Argument(help="CSV: case,prediction and what the prompt names; or a trial's folder.")],
    manifest: Annotated[Path, typer.Option("--judge", help="The judge: a judge/1 document (YAML).")],
    label: Annotated[int, typer.Option("--label", help="How many cases people label, drawn at random.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the judging; begun again it goes on.")],
    beside: Annotated[
        Path | None, typer.Option("--beside", help="A table with case whose columns the prompt may name, too.")
    ] = None,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Do not wait for a judge that went away: the rest has no score.")
    ] = False,
) -> None:
    """Ask a judge model about every answer, then draw the cases that people label. Its scores alone prove nothing."""
    from pilotbase.documents.judge import Judge
    from pilotbase.documents.loading import load_document
    from pilotbase.trial.judging.folder import judge_cases
    from pilotbase.trial.judging.judged_cases import read_judged_cases
    from pilotbase.worker.trials.folder import cases_file

    read = load_document(Judge, manifest)
    judged = read_judged_cases(cases_file(cases), read, beside)
    with progress_shown() as on_progress:
        found = judge_cases(read, judged, out, label, give_up, on_progress)
    for line in _judged_lines(found, out):
        say(line)


@command
def calibrate(
    folder: Annotated[Path, typer.Argument(help="The folder of a judging.")],
    sheets: Annotated[list[Path], typer.Argument(help="Sheets filled in, or other tables of item and label.")],
    as_json: AsJson = False,
) -> None:
    """Read people's labels, tell how far the judge agrees with them, and write what `trial decide` decides on."""
    from pilotbase.trial.judging.calibrating import calibrate as calibrate_by

    found = calibrate_by(folder, sheets)
    if as_json:
        print_json(found.to_json_value())
        return
    for line in _calibration_lines(found, folder):
        say(line)


def _judged_lines(found: FinishedJudging, folder: Path) -> list[Text]:
    from collections import Counter

    scored = sum(score.no_score is None and score.known is None for score in found.scores)
    missing = Counter(score.no_score for score in found.scores if score.no_score is not None)
    lines = [text("judge.scored", scored=scored, cases=len(found.scores))]
    lines += [text(f"judge.no_score.{reason}", count=count) for reason, count in sorted(missing.items())]
    if found.sheet is not None:
        lines.append(text("judge.sheet", count=found.to_label, file=found.sheet))
    return [*lines, text("judge.next_calibrate", folder=folder)]


def _calibration_lines(found: Calibration, folder: Path) -> list[Text]:
    lines = [text("judge.labelled", labelled=found.labelled, drawn=found.drawn, cases=found.cases)]
    if found.left_out:
        lines.append(text("judge.left_out", count=found.left_out))
    lines += [text(f"judge.no_score.{reason}", count=count) for reason, count in found.unscored.items()]
    if found.agreement is not None and found.bias is not None:
        kappa = "–" if found.kappa is None else f"{found.kappa:.2f}"
        lines.append(text("judge.agreement", agreement=f"{found.agreement:.1%}", kappa=kappa))
        counts = {"kind": found.too_kind, "strict": found.too_strict}
        lines.append(text("judge.bias", bias=f"{found.bias:+.3f}", **counts))
    if found.order_matters is not None:
        lines.append(text("judge.order_matters", share=f"{found.order_matters:.1%}"))
    lines += [
        text("judge.alone_passes" if one.passes else "judge.alone_fails", rule=one.rule, value=f"{one.value:.4g}")
        for one in found.alone
    ]
    return [*lines, text("judge.next_decide", folder=folder, seed=found.order_seed)]
