"""A language model behind an endpoint asked to go on with beginnings: not by its supplier's prompt, but by ours.

In a trial these are first halves of the public sample, once all hidden cases are answered. A model in a box cannot be
asked in this way, because its own prompt precedes every case.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from pilotbase.compute.box.ends import BoxEnded
from pilotbase.compute.box.settings import BoxSettings
from pilotbase.compute.endpoints.asking import MOST_ATTEMPTS
from pilotbase.compute.endpoints.calls import CallLog
from pilotbase.compute.endpoints.worker import start_endpoint
from pilotbase.documents.application import Application
from pilotbase.documents.base import Part
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.endpoint import PROMPTED, Endpoint, Prompt, Sampling
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.limits import EndReason, Limits
from pilotbase.documents.probes import Contamination
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase.documents.report import Finding
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome, Verification
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.trial.contamination import Ask, Recited, recited
from pilotbase.trial.design_findings import unmeasured
from pilotbase.trial.probing import Findings, Probe, ProbeSubject
from pilotbase.trial.running import BoxRun
from pilotbase.trial.sealed import read_public_sample

MOST_CHANCE = 0.05
"""Cases and control differ if chance alone would separate them this far less often."""
_BEGINNING = "beginning"
_ASKED = (
    "Go on with the following text word for word, exactly as you know it, and say nothing else.\n"
    "请按你所知，逐字续写下面的文字，不要说别的。\n\n{beginning}"
)
_MOST_TOKENS = 400


class RecitedCases(Part):
    """The cases of the public sample that were recited."""

    recited: Recited | None = None
    """None: the model could not be asked."""


class Reciting(Probe[RecitedCases]):
    """Whether a model has seen the cases; a verdict never waits for a model that does not answer."""

    name = "contamination"
    found = RecitedCases
    sections = frozenset({Verification.DESIGN})
    rehearsed = False

    def look(self, subject: ProbeSubject, run: BoxRun | None) -> RecitedCases | None:
        """Return how many cases of the public sample are recited."""
        asked, application = subject.asked.contamination, subject.candidate.submission.application
        if asked is None or run is None or run.end.reason is not EndReason.FINISHED:
            return None
        if application.endpoint is None or application.endpoint.protocol not in PROMPTED:
            return RecitedCases()
        cases, control = _texts(subject, asked)
        try:
            return RecitedCases(recited=recited(cases, control, asking_endpoint(application)))
        except RefusedError:
            return RecitedCases()

    def findings(self, found: RecitedCases) -> Findings:
        """Return what was recited, and how the control compares."""
        if found.recited is None:
            return {Verification.DESIGN: [unmeasured("contamination", text("trial.finding.not_recited"))]}
        return {Verification.DESIGN: [_recital(found.recited), _control(found.recited)]}


PROBE = Reciting()


def _texts(subject: ProbeSubject, asked: Contamination) -> tuple[list[str], list[str]]:
    sample = read_public_sample(subject.lab, subject.sealed).head(asked.most)
    columns = [] if asked.control is None else [asked.control]
    cases, *control = (
        [cell for cell in sample[name].cast(pl.String).to_list() if cell] for name in (asked.column, *columns)
    )
    return cases, control[0] if control else []


def _recital(found: Recited) -> Finding:
    names = ("cases", "too_short", "silent", "recited", "longest")
    sentence = text("contamination.recited", **{name: getattr(found, name) for name in names})
    if found.silent == found.cases:
        return unmeasured("contamination", sentence)
    known = Outcome.FAIL if found.chance is not None and found.chance <= MOST_CHANCE else Outcome.INCONCLUSIVE
    return Finding(check="contamination", outcome=known if found.recited else Outcome.PASS, sentence=sentence)


def _control(found: Recited) -> Finding:
    if found.chance is None:
        return unmeasured("contamination_control", text("contamination.no_control"))
    values = {"cases": found.control_cases, "recited": found.control_recited, "chance": f"{found.chance:.2g}"}
    sentence = text("contamination.control", **values)
    return Finding(check="contamination_control", outcome=Outcome.PASS, sentence=sentence)


def asking_endpoint(application: Application) -> Ask:
    """Return a worker for the model behind ``application``; its supplier can keep the questions from then on.

    Raises:
        InputError: it is not an endpoint that takes text prompts.
    """
    endpoint, supplier = application.endpoint, application.supplier.organisation
    if endpoint is None or endpoint.protocol not in PROMPTED:
        raise InputError("contamination.no_endpoint_of_words", application=application.name)
    asked = _reciting(endpoint)

    def ask(beginnings: Sequence[str]) -> Sequence[str | None]:
        return _answers(asked, supplier, beginnings)

    return ask


def _reciting(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with our prompt; a completion model simply continues the text."""
    template = _ASKED if endpoint.protocol == "openai_chat" else f"{{{_BEGINNING}}}"
    prompt = Prompt(template=template, sampling=Sampling(temperature=0, max_tokens=_MOST_TOKENS))
    return endpoint.model_copy(update={"prompt": prompt})


def _answers(endpoint: Endpoint, supplier: str, beginnings: Sequence[str]) -> Sequence[str | None]:
    if not beginnings:
        return []
    field = Field(name=_BEGINNING, data_type=DataType.TEXT)
    contract = Contract(features=(field,), prediction=Prediction(kind="text"))
    limits = Limits(wall_seconds=MOST_SECONDS, batch_seconds=min(MOST_ATTEMPTS * endpoint.timeout, MOST_SECONDS))
    column = np.array(beginnings, dtype=object)
    try:
        with (
            CallLog(None, b"") as calls,
            start_endpoint(endpoint, supplier, contract, BoxSettings(limits=limits), calls) as worker,
        ):
            answers: Sequence[str | None] = worker.predict(
                FeatureBatch({_BEGINNING: column}, len(column))
            ).values.tolist()
    except BoxEnded as ended:
        raise RefusedError("contamination.not_asked", reason=ended.text) from None
    return answers
