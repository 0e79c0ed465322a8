"""Rehearse and run from Python: the same functions that commands call, and their result to look at."""

from __future__ import annotations

import html
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.documents.catalogues import wanted_language
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.report import Report
from pilotbase.documents.vocabularies import Verdict
from pilotbase.notebook.programs import write_program
from pilotbase.notebook.scenarios import ScenarioFolder
from pilotbase.worker.base import open_base
from pilotbase.worker.intake.drafting import new_application
from pilotbase.worker.intake.locking import lock_folder
from pilotbase.worker.intake.wrapping import wrap_model
from pilotbase.worker.trials.proving import prove, rehearse_in
from pilotbase.worker.trials.replaying import ReplayedVerdict, replay_trial
from pilotbase.worker.trials.summary import report_lines

_NOT_IN_MLFLOW = re.compile(r"[^\w.:/ -]")
"""What the name of a metric of MLflow must not contain."""
Application = Callable[..., Any] | str | Path
"""A function ``predict(batch)``, a trained model's file, or the folder of an application."""


@dataclass(frozen=True, repr=False)
class TrialResult:
    """The result of a rehearsal or a trial: its report, and the folder that holds everything about it."""

    report: Report
    folder: Path
    certificate: Certificate | None = None
    """None: a rehearsal, which is no evidence."""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict; None for a rehearsal."""
        return None if self.certificate is None else self.report.verdict

    @property
    def scores(self) -> pl.DataFrame:
        """One row a criterion: rule, score, bounds, threshold, outcome, and the baseline's score."""
        names = ("rule", "estimate", "lower", "upper", "threshold", "outcome", "baseline")
        return pl.DataFrame([{name: getattr(one, name) for name in names} for one in self.report.criteria])

    @property
    def log(self) -> str:
        """What the application printed, where it may be shown."""
        return (self.folder / "application.log").read_text("utf-8")

    def replay(self) -> ReplayedVerdict:
        """Derive the verdict anew from the records in `folder`; raises as `replay_trial`."""
        return replay_trial(self.folder)

    def log_to_mlflow(self) -> None:
        """Log one score for each criterion, the verdict, the report and the certificate to MLflow's active run.

        Raises:
            ImportError: mlflow is not installed.
        """
        import mlflow

        measured = {parse_rule(one.rule).key: one.estimate for one in self.report.criteria if one.estimate is not None}
        mlflow.log_metrics({_NOT_IN_MLFLOW.sub("_", name): score for name, score in measured.items()})
        verdict = "rehearsal" if self.verdict is None else self.verdict.value
        mlflow.set_tags({"pilotbase.verdict": verdict, "pilotbase.application": self.report.application.digest})
        for file in ("report.html", "certificate.json"):
            if (self.folder / file).is_file():
                mlflow.log_artifact(str(self.folder / file))

    def __repr__(self) -> str:
        return "\n".join(line.render(wanted_language()) for line in report_lines(self.report, self.folder))

    def _repr_html_(self) -> str:
        page = html.escape((self.folder / "report.html").read_text("utf-8"))
        return f'<iframe srcdoc="{page}" sandbox="allow-same-origin" style="width:100%;height:40em;border:0"></iframe>'


def rehearse(
    scenario: ScenarioFolder | str | Path,
    application: Application,
    *,
    supplier: str = "my-organisation",
    packages: Sequence[str] = (),
    out: str | Path | None = None,
) -> TrialResult:
    """Run an application on the public sample, in box and limits of a trial: full log, no attempt, no evidence.

    Args:
        scenario: a scenario, or the path of its folder or kit.
        application: ``predict(batch)``, the file of a trained model (see `wrap_model`), or an application's folder.
        supplier: the short name of your organisation, for a function or a model.
        packages: to lock for it, such as ``scikit-learn==1.6``; by default what it imports, as installed here.
        out: the folder for the result, by default one in the base.

    Raises:
        InputError: scenario, data or application are wrong, with every problem at once.
        RefusedError: this machine does not give the isolation level.
    """
    base = open_base(create=True)
    with closing(base.lab), _folder_of(_path(scenario), application, supplier, packages) as folder:
        done = rehearse_in(base, _path(scenario), folder, _out(out), _told())
    return TrialResult(done.report, done.folder)


def run(
    scenario: ScenarioFolder | str | Path,
    application: Application,
    *,
    out: str | Path | None = None,
    supplier: str = "my-organisation",
    packages: Sequence[str] = (),
) -> TrialResult:
    """Rehearse an application, then try it once on hidden cases: an attempt is counted, a certificate issued.

    Arguments as for `rehearse`; called again with the same, it returns the same result.

    Raises:
        InputError: scenario, data or application are wrong, with every problem at once.
        RefusedError: isolation, approvals, rehearsal, leakage, attempts; no attempt is counted.
    """
    base = open_base(create=True)
    with closing(base.lab), _folder_of(_path(scenario), application, supplier, packages) as folder:
        proof = prove(base, _path(scenario), folder, _out(out), _told())
    return TrialResult(proof.report, proof.folder, proof.certificate)


@contextmanager
def _folder_of(scenario: Path, application: Application, supplier: str, packages: Sequence[str]) -> Iterator[Path]:
    """Give the application's folder; that of a function or a model is made for this one call."""
    if isinstance(application, str | Path) and (Path(application) / MANIFEST).is_file():
        yield Path(application)
        return
    with tempfile.TemporaryDirectory() as scratch:
        if isinstance(application, str | Path):
            folder = Path(scratch, Path(application).stem)
            wrap_model(Path(application), scenario, folder, supplier, packages)
        else:
            folder = Path(scratch, getattr(application, "__name__", "").replace("_", "-") or "application")
            new_application(scenario, folder, supplier)
            write_program(application, folder)
            lock_folder(folder, packages, overwrite=True)
        yield folder


def _path(scenario: ScenarioFolder | str | Path) -> Path:
    return (scenario if isinstance(scenario, ScenarioFolder) else ScenarioFolder(scenario)).path


def _out(out: str | Path | None) -> Path | None:
    return None if out is None else Path(out)


def _told() -> OnProgress:
    """Return what prints each stage once, on standard error."""
    said: set[str] = set()

    def tell(progress: Progress) -> None:
        if (stage := progress.stage.render(wanted_language())) not in said:
            said.add(stage)
            sys.stderr.write(f"{stage}\n")

    return tell
