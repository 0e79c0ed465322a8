"""``pilotbase scenario``: a draft from a file, and everything that a scenario still lacks."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilotbase.cli import data_catalogue, hub_records
from pilotbase.cli.framework.declared import add
from pilotbase.cli.framework.driving import Noun, open_base
from pilotbase.cli.framework.terminal import (
    AsJson,
    answer,
    language,
    listed,
    progress_shown,
    say,
    say_all,
    separator_written,
    shown,
    warn,
)
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import subject_written
from pilotbase.documents.texts import Text, text
from pilotbase.operations import datasets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilotbase.data.doctor import Remark
    from pilotbase.data.drafting import DraftAnswers
    from pilotbase.data.source_cases import CaseSource
    from pilotbase.worker.intake.drafting import WrittenScenario

app = Noun()
app.command("list")(hub_records.lister("scenario"))
app.command("show")(hub_records.shower("scenario"))
app.command("save")(hub_records.save_scenario)
app.command("submit", help="Submit the newest version on the hub for opening; says first what its cases can prove.")(
    hub_records.opener(Act.SCENARIO_SUBMIT)
)
app.command("open", help="Open a submitted scenario on the hub to suppliers; says first what its cases can prove.")(
    hub_records.opener(Act.SCENARIO_OPEN)
)
add(app, data_catalogue.readers(datasets.SCENARIO_READERS), *hub_records.KEPT_FILES)


_SAME_STROKE = 1.0
"""Seconds within which Enter belongs to the key before it: nobody has read the next question by then."""
_QUESTIONS = ("problem", "target", "group_or_time", "miss", "false_alarm", "contact")
_COSTS, _BACK = ("miss", "false_alarm"), "<"


@app.here("new")
def new(  # noqa: PLR0913 - each answer is an option
    source: Annotated[Path, typer.Option("--from")],
    folder: Annotated[Path, typer.Option("--out")] = Path("scenario"),
    problem: str | None = None,
    target: str | None = None,
    group_or_time: str | None = None,
    time: str | None = None,
    miss: float | None = None,
    false_alarm: float | None = None,
    mistakes: str | None = None,
    contact: str | None = None,
    dates: DateOrder | None = None,
    table: str | None = None,
    columns: str | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    name: str = "",
    dataset: str = "",
    demand: str = "",
    fix: str | None = None,
) -> None:
    """Write a draft scenario from six answers; everything else has a stated default that you confirm."""
    from pilotbase.data.drafting import DraftAnswers

    if time is not None and group_or_time:
        raise InputError("draft.time_and_group", time=time, group=group_or_time)
    given: dict[str, Any] = {
        "problem": problem,
        "target": target,
        "group_or_time": time or group_or_time,
        "contact": contact,
    }
    given |= {"miss": miss, "false_alarm": false_alarm, "mistakes": mistakes}
    unasked = DraftAnswers(
        problem="",
        target="",
        group_or_time=None,
        cost_of_miss=1.0,
        cost_of_false_alarm=1.0,
        contact="",
        name=name,
        dataset=subject_written("dataset", dataset) if dataset else "",
        demand=subject_written("demand", demand) if demand else "",
        is_time=time is not None,
        dates=dates,
        table=table,
        encoding=encoding,
        separator=separator_written(separator),
        columns=listed(columns),
        fixes=None if fix is None else listed(fix) or (),
    )
    written = _drafted(source, unasked, {name: one for name, one in given.items() if one is not None}, folder)
    *lines, end = written.lines
    say_all(lines)
    _examine(folder, source if source.is_file() else folder / written.scenario.data.file)
    say(end)


def _examine(folder: Path, table: Path) -> None:
    """Say how many remarks the data doctor has; a table that takes it minutes waits until it is asked."""
    from pilotbase.worker.intake.checking import PAGE, examine_in
    from pilotbase.worker.intake.table_drafts import takes_long

    if takes_long(table):
        say(text("doctor.later", folder=folder))
        return
    found, file = examine_in(folder, folder / PAGE, language())
    say(text("doctor.written", count=len(found.grouped), file=file))


def _drafted(source: Path, unasked: DraftAnswers, given: dict[str, Any], folder: Path) -> WrittenScenario:
    """Draft; whether the day or the month comes first is asked on a terminal where the dates do not decide it."""
    from pilotbase.data.fixes import check_fixes
    from pilotbase.data.source_cases import reading_cases
    from pilotbase.worker.intake.drafting import require_new

    check_fixes(unasked.fixes or ())
    require_new(folder)
    with reading_cases(source) as cases:
        answers = _interviewed(unasked, given, cases)
        try:
            return _written(cases, answers, folder)
        except InputError as error:
            open_order = next((one.problem for one in error.issues if one.problem.code == "draft.date_order"), None)
            if open_order is None or not sys.stdin.isatty():
                raise
            day_first = typer.confirm(shown(Text(code="draft.ask_day_first", params=open_order.params)))
            order = DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST
            return _written(cases, replace(answers, dates=order), folder)


def _interviewed(unasked: DraftAnswers, given: dict[str, Any], cases: CaseSource) -> DraftAnswers:
    """Return the answers that are given, and those to the questions that are open; ``<`` goes back by one."""
    from pilotbase.worker.intake.table_drafts import costs_asked

    said, asked = dict(given), list[dict[str, Any]]()
    columns = [] if _open_question(said) is None else cases.columns(unasked.reading)
    if columns:
        say(text("draft.columns", columns=", ".join(f"{number} {one}" for number, one in enumerate(columns, 1))))
    while (name := _open_question(said)) is not None:
        question = text(f"draft.question.{name}")
        if name in _COSTS and "target" in said:
            of_costs = costs_asked(cases, replace(unasked, target=said["target"]))
            if name not in of_costs:
                unused = {name: 0.0 if "miss" in of_costs else 1.0}
                said |= unused
                asked[-1:] = [one | unused for one in asked[-1:]]
                continue
            question = of_costs[name]
        typed = _asked(name, said, question)
        if typed == _BACK:
            said = {one: found for one, found in said.items() if not asked or one not in asked[-1]}
            del asked[-1:]
            continue
        found = _understood(name, typed, columns)
        if isinstance(found, Text):
            warn(found)
        else:
            said |= found
            asked.append(found)
    costs = {f"cost_of_{name}": said[name] for name in _COSTS if name in said}
    words = {name: one for name, one in said.items() if name not in _COSTS}
    return replace(unasked, **words, **costs)


def _open_question(said: dict[str, Any]) -> str | None:
    return next(_open_questions(said), None)


def _open_questions(said: dict[str, Any]) -> Iterator[str]:
    """Yield the questions without an answer; what each mistake costs answers both questions about costs."""
    known = {*said, *(_COSTS if "mistakes" in said else ())}
    return (one for one in _QUESTIONS if one not in known)


def _asked(name: str, said: dict[str, Any], question: Text) -> str:
    """Return what somebody types; where input has ended, that no column groups cases, and every other gap at once."""
    asked = shown(text("draft.question", number=_QUESTIONS.index(name) + 1, asked=question))
    default = "1" if name in _COSTS else ""
    try:
        return str(typer.prompt(asked, default=default, show_default=bool(default))).strip()
    except typer.Abort:
        if sys.stdin.isatty():
            raise
    typer.echo()
    lacking = [f"--{one.replace('_', '-')}" for one in _open_questions(said) if one != "group_or_time"]
    if lacking:
        raise InputError("draft.unasked", options=", ".join(lacking))
    say(text("draft.ungrouped"))
    return ""


def _understood(name: str, typed: str, columns: Sequence[str]) -> dict[str, Any] | Text:
    """Return the answer, a column by its name or number; or what is wrong with it."""
    from pilotbase.data.drafting import unread_mistakes

    if name in ("target", "group_or_time") and typed and typed not in columns:
        at = int(typed) if typed.isascii() and typed.isdigit() else 0
        if not 0 < at <= len(columns):
            return text("draft.unknown_column", found=typed, allowed=offer(typed, columns))
        typed = columns[at - 1]
    if name == "miss" and "=" in typed:
        return next(unread_mistakes(typed), None) or {"mistakes": typed}
    if name in _COSTS:
        cost = _number(typed)
        return text("draft.negative_cost", found=typed) if cost is None else {name: cost}
    return {name: typed or None} if typed or name == "group_or_time" else text("draft.empty_answer")


def _number(typed: str) -> float | None:
    try:
        found = float(typed)
    except ValueError:
        return None
    return found if 0 <= found < math.inf else None


def _written(cases: CaseSource, answers: DraftAnswers, folder: Path) -> WrittenScenario:
    """Write the draft; on a terminal each remedy of the data doctor is offered, of a large table from a sample."""
    from pilotbase.worker.intake.drafting import new_scenario
    from pilotbase.worker.intake.table_drafts import draft_sized, examine_source

    if answers.fixes is None and sys.stdin.isatty() and cases.place.is_file():
        with progress_shown() as on_progress:
            found = examine_source(replace(cases, on_progress=on_progress), answers)
        answers = replace(answers, fixes=_asked_fixes(found.remarks))
    with progress_shown() as on_progress:
        watched = replace(cases, on_progress=on_progress)
        return new_scenario(cases.place, answers, folder, lambda _, wanted: draft_sized(watched, wanted))


def _asked_fixes(remarks: Sequence[Remark]) -> tuple[str, ...]:
    """Return the remedies that somebody at the terminal wants, a key each: yes, no, all that is advised, back.

    Columns with the same remedy are one question, which ``o`` takes apart.
    """
    from pilotbase.data.doctor import RemarkGroup, grouped

    offered = [(group, group.first.fix) for group in grouped(remarks) if group.first.fix is not None]
    wanted: list[tuple[str, ...]] = []
    if offered:
        say(text("doctor.fix.keys_alone"))
    pressed = _keys()
    while len(wanted) < len(offered):
        group, fix = offered[at := len(wanted)]
        say(text("doctor.fix.found", number=at + 1, count=len(offered), sentence=group.sentence))
        way = "_or_value" if fix.leaves_rows_out else "" if group.is_one else "_or_one_by_one"
        usual = text(f"doctor.fix.usual_{'yes' if fix.advised else 'no'}{way}")
        typer.echo(shown(text("doctor.fix.ask", fix=group.words_of(fix), keys=usual)), nl=False)
        key = next(pressed).lower()
        typer.echo(f" {key.strip()}" if key.isprintable() else "")
        if key == "b":
            del wanted[-1:]
        elif key == "a":
            wanted += [one.spelled() if found.advised else () for one, found in offered[at:]]
        elif key in ("y", "n", "\r", "\n", " "):
            wanted.append(group.spelled() if key == "y" or (key.isspace() and fix.advised) else ())
        elif key == "v" and fix.leaves_rows_out:
            value = typer.prompt(f"    {shown(fix.question)}")
            wanted.append((f"{fix.offered}={value}",))
        elif key == "o" and not group.is_one:
            offered[at : at + 1] = [(RemarkGroup((one,)), one.fix) for one in group.every if one.fix is not None]
        else:
            say(text("doctor.fix.no_such_key"))
    return tuple(one for every in wanted for one in every)


def _keys() -> Iterator[str]:
    """Yield each key that is pressed, but no Enter that ends the one before; end the command where input ends."""
    before = -math.inf
    while typed := typer.getchar():
        for key in [typed] if typed.startswith("\x1b") else typed:
            is_enter, now = key in "\r\n", time.monotonic()
            ends_another = is_enter and now - before < _SAME_STROKE
            before = -math.inf if is_enter else now
            if not ends_another:
                yield key
    raise typer.Abort


@app.here("check")
def check(scenario: Path, step: str = "freeze", as_json: AsJson = False) -> None:
    """Check a scenario and its data; report every problem at once."""
    from pilotbase.worker.base import base_if_any
    from pilotbase.worker.intake.checking import check_scenario

    checked, lines = check_scenario(scenario, step, base_if_any())
    answer(checked, as_json, lambda _: say_all(lines))


@app.here("doctor")
def doctor(scenario: Path, out: Path | None = None) -> None:
    """Examine a scenario's cases: what stands out, what each column alone achieves, and what to do about it."""
    from pilotbase.worker.intake.checking import examine_in

    found, file = examine_in(scenario, out, language())
    for one in found.grouped:
        said = {"sentence": one.sentence, "remedy": one.remedy}
        flagged = "doctor.fix.flag" if one.is_one else "doctor.fix.flag_several"
        say(text(flagged, **said, fix=one.flag) if one.flag else text("doctor.line", **said))
    say(text("doctor.written", count=len(found.grouped), file=file))


@app.here("kit")
def kit(scenario: Path, out: Path | None = None) -> None:
    """Write one file from which suppliers rehearse anywhere: contract, rules and public sample, no hidden case."""
    from pilotbase.worker.trials.proving import kit_in

    with progress_shown() as on_progress:
        file = kit_in(open_base(create=True), scenario, out, on_progress)
    say(text("cli.kit_written", file=file))


@app.here("refresh")
def refresh(
    scenario: str, source: Annotated[str, typer.Option("--from")], table: str | None = None, yes: bool = False
) -> None:
    """Seal the next version of a scenario's hidden data from new cases of a source that lives on.

    Cases of earlier versions stay there, with their spent budget. Run again on the same source nothing changes.
    """
    from pilotbase.worker.intake.refreshing import refreshing

    base = open_base()
    with refreshing(base, scenario, source, table) as opened:
        say_all(opened.looked.lines(base))
        say(opened.carry_out() if yes else text("worker.refresh_unconfirmed"))


@app.here("versions")
def versions(scenario: str, as_json: AsJson = False) -> None:
    """List the versions of a scenario's hidden data: cases, attempts, cases left, and certificates based on them."""
    from pilotbase.worker.trials.hidden_budgets import scenario_at, sealed_versions

    base = open_base()
    found = sealed_versions(base, scenario_at(base.lab.view, scenario)[0])
    answer(found, as_json, lambda versions: say_all(one.line() for one in versions))
