"""A scenario from a frame, and what can be done with its folder."""

from __future__ import annotations

import dataclasses
import html
import shutil
import tempfile
from collections.abc import Collection, Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pilotbase.data.drafting import DraftAnswers
from pilotbase.documents.base import Step, localized
from pilotbase.documents.catalogues import wanted_language
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, make_visible, text
from pilotbase.trial.scenario_folder import MANIFEST, load_scenario
from pilotbase.worker.base import base_if_any, open_base
from pilotbase.worker.intake.checking import check_scenario, examine_in
from pilotbase.worker.intake.drafting import new_scenario
from pilotbase.worker.intake.public_kits import fetch_kit
from pilotbase.worker.trials.kits import read_kit
from pilotbase.worker.trials.proving import kit_in


class ScenarioFolder:
    """A scenario's folder, or a kit; a kit at an address is fetched, unless it was and has not changed.

    Edit ``scenario.yaml`` in `path` to change it: what is on disk counts.
    """

    def __init__(self, path: str | Path, decided: tuple[Text, ...] = ()) -> None:
        self.path = _fetched(path) if str(path).startswith(("https://", "http://")) else Path(path)
        self._decided = decided
        _ = self.document  # a wrong path is told at once

    @classmethod
    def from_frame(  # noqa: PLR0913 - each answer is an argument
        cls,
        frame: Any,
        target: str,
        *,
        problem: str,
        contact: str,
        miss: float = 1.0,
        false_alarm: float = 1.0,
        mistakes: str = "",
        group: str | None = None,
        time: str | None = None,
        name: str = "",
        folder: str | Path | None = None,
        replace: bool = False,
        fix: Collection[str] = (),
    ) -> ScenarioFolder:
        """Write a draft scenario from cases and six answers, and return it; everything else has a stated default.

        Args:
            frame: a data frame (polars, pandas, PyArrow, anything with the Arrow stream interface), a Hugging Face
                dataset, a mapping of columns, or the path of a file.
            target: the column to predict.
            problem: one sentence.
            contact: your organisation, and how to reach it.
            miss: the cost of a miss; in a regression, of one unit of error.
            false_alarm: the cost of a false alarm; in a regression 0.
            mistakes: of three classes or more, what each mistake costs, in place of both:
                ``"severe as none=500, severe as *=200, * as *=5"``; ``*`` is any class.
            group: the column that groups cases (patient, machine): each group stays on one side.
            time: the column that tells time: the latest cases are hidden. Not both.
            name: the short name, for addresses; by default made of the target.
            folder: where to write it, by default a folder of that name here.
            replace: whether an existing draft in ``folder`` is overwritten; other files there stay.
            fix: what the draft fixes of what `doctor` finds, such as ``sentinels`` or ``units:flow``; ``all``: what is
                advised. It is declared in the scenario; the cases stay as they are.

        Raises:
            InputError: cases and answers do not fit, with every problem at once; the folder exists.
        """
        if group is not None and time is not None:
            raise InputError("draft.time_and_group", time=time, group=group)
        place = Path(folder or name or target)
        answers = DraftAnswers(problem, target, time or group, miss, false_alarm, contact, name, is_time=bool(time))
        answers = dataclasses.replace(answers, fixes=tuple(fix), mistakes=mistakes)
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(frame) if isinstance(frame, str | Path) else Path(scratch, f"{place.name}.parquet")
            if not isinstance(frame, str | Path):
                as_table(frame).write_parquet(source)
            draft = Path(scratch, "draft")
            written = new_scenario(source, answers, draft)
            overwrites = replace and (place / MANIFEST).is_file()
            if place.exists() and any(place.iterdir()) and not overwrites:
                raise InputError("catalogue.folder_not_empty", folder=place)
            shutil.copytree(draft, place, dirs_exist_ok=True)
        return cls(place, written.lines[:-1])

    @property
    def document(self) -> Scenario:
        """The scenario as it stands on disk; raises `InputError` with every problem of its form."""
        return read_kit(self.path).scenario if self.path.is_file() else load_scenario(self.path, Step.DRAFT)[0]

    @property
    def decided(self) -> list[str]:
        """What was guessed when it was drafted, for you to confirm, in the reader's language."""
        return [one.render(wanted_language()) for one in self._decided]

    def check(self) -> list[str]:
        """Return what was found in a scenario that is ready for a trial.

        Raises:
            InputError: it is not, with every problem at once.
        """
        base = base_if_any()
        with nullcontext() if base is None else closing(base.lab):
            return [one.render(wanted_language()) for one in check_scenario(self.path, "freeze", base)[1]]

    def doctor(self) -> list[str]:
        """Return what stands out in the cases, each with its remedy, and the name of what ``fix`` does about it."""
        language = wanted_language()
        found = examine_in(self.path, None, language)[0].grouped
        flags = (f" (fix: {one.flag})" if one.flag else "" for one in found)
        said = (text("doctor.line", sentence=one.sentence, remedy=one.remedy).render(language) for one in found)
        return [line + flag for line, flag in zip(said, flags, strict=True)]

    def kit(self, file: str | Path | None = None) -> Path:
        """Write the file from which suppliers rehearse anywhere, and return its path; raises as `write_kit`."""
        base = open_base(create=True)
        with closing(base.lab):
            return kit_in(base, self.path, None if file is None else Path(file))

    def __repr__(self) -> str:
        return "\n".join([f"<Scenario {self.document.name}: {self.path}>", *(f"  {one}" for one in self.decided)])

    def _repr_html_(self) -> str:
        found, language = self.document, wanted_language()
        rules = "".join(f"<li><code>{html.escape(one.rule)}</code></li>" for one in found.criteria)
        guesses = "".join(f"<li>{html.escape(make_visible(one))}</li>" for one in self.decided)
        title, problem = (html.escape(make_visible(localized(one, language))) for one in (found.title, found.problem))
        return f"<h4>{title}</h4><p>{problem}</p><ul>{rules}</ul><ul>{guesses}</ul>"


def _fetched(url: str | Path) -> Path:
    base = open_base(create=True)
    with closing(base.lab):
        return fetch_kit(base, str(url)).file


def as_table(frame: Any) -> pl.DataFrame:
    """Return cases from a data frame, a Hugging Face dataset, a mapping of columns or a 2-D array.

    Raises:
        InputError: it is none of these.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    if hasattr(frame, "to_polars"):
        return as_table(frame.to_polars())
    if hasattr(frame, "collect"):
        return as_table(frame.collect())
    if hasattr(frame, "__arrow_c_stream__") or isinstance(frame, Mapping):
        return pl.DataFrame(frame)
    if isinstance(frame, np.ndarray) and frame.ndim == 2:
        return pl.DataFrame(frame)
    raise InputError("notebook.no_frame", found=type(frame).__name__)
