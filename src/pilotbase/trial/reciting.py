"""A language model behind an endpoint asked to go on with beginnings: not by its supplier's prompt, but by ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase.compute.box.ends import BoxEnded
from pilotbase.compute.box.settings import BoxSettings
from pilotbase.compute.endpoints.asking import MOST_ATTEMPTS
from pilotbase.compute.endpoints.calls import CallLog
from pilotbase.compute.endpoints.starting import start_endpoint
from pilotbase.documents.application import Application
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.endpoint import PROMPTED, Endpoint, Prompt, Sampling
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.limits import Limits
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase.protocols.frames import Batch
from pilotbase.trial.contamination import Ask

_BEGINNING = "beginning"
_ASKED = (
    "Go on with the following text word for word, exactly as you know it, and say nothing else.\n"
    "请按你所知，逐字续写下面的文字，不要说别的。\n\n{beginning}"
)
_MOST_TOKENS = 400


def asking_endpoint(application: Application) -> Ask:
    """Return what asks the model behind ``application``; what is asked is its supplier's to keep from then on.

    Raises:
        InputError: it is no endpoint that is asked in words.
    """
    endpoint, supplier = application.endpoint, application.supplier.organisation
    if endpoint is None or endpoint.protocol not in PROMPTED:
        raise InputError("contamination.no_endpoint_of_words", application=application.name)
    asked = _reciting(endpoint)

    def ask(beginnings: Sequence[str]) -> Sequence[str | None]:
        return _answers(asked, supplier, beginnings)

    return ask


def _reciting(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with our prompt; a model of completions simply goes on."""
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
            answers: Sequence[str | None] = worker.predict(Batch({_BEGINNING: column}, len(column))).values.tolist()
    except BoxEnded as ended:
        raise RefusedError("contamination.not_asked", reason=ended.text) from None
    return answers
