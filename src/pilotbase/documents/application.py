"""Application 应用: what a supplier submits, one immutable, content-addressed version at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Localized, Name, Part
from pilotbase.documents.endpoint import ACTING, Endpoint
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.quantities import Bytes
from pilotbase.documents.scenario import Contact, LanguageTag, Region
from pilotbase.documents.standards import Evidence
from pilotbase.documents.subjects import application_subject
from pilotbase.documents.texts import Text, text

EntryPoint = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
"""``module:function`` inside the application's folder, such as ``app:predict``."""


PlainPath = Annotated[str, StringConstraints(max_length=200, pattern=r"^(?:[A-Za-z0-9_][\w.-]*/)*[A-Za-z0-9_][\w.-]*$")]
"""A path inside the application's folder, such as ``requirements.lock``: relative, and never upwards."""

DEFAULT_REQUIREMENTS = "requirements.lock"
DEFAULT_ENTRY_POINT = "app:predict"
ACTING_ENTRY_POINTS: Mapping[str, str] = MappingProxyType({"act": "app:agent", "mcp": "app:run"})
"""The usual entry point of an application that acts, by its interface."""

Runtime = Literal["python", "onnx", "skops", "mlflow", "command", "container", "endpoint"]
"""What loads the application in its box; but for ``python`` each is a module of `pilotbase.sandbox.adapters`.

``endpoint`` is not loaded: its supplier hosts it, and `pilotbase.sandbox.endpoints` calls it.
"""
WITH_CODE: tuple[Runtime, ...] = ("python", "command")
"""Runtimes that run the supplier's program in a box, with the packages of its lock file."""
SPEAKING: tuple[Runtime, ...] = ("command", "container")
"""Runtimes whose program communicates over its standard input and output."""
MODEL_FILES: Mapping[Runtime, str] = MappingProxyType(
    {"onnx": "model.onnx", "skops": "model.skops", "mlflow": "MLmodel"}
)
"""Runtimes that load the supplier's model and run none of its code → the model file's usual name."""
WITH_MODEL = tuple(MODEL_FILES)
_READ_BY: Mapping[str, tuple[Runtime, ...]] = MappingProxyType(
    {"model": WITH_MODEL, "command": SPEAKING, "image": ("container",), "endpoint": ("endpoint",)}
)
"""Field of the manifest → runtimes that read it."""
_OPTIONAL: Mapping[Runtime, tuple[str, ...]] = MappingProxyType({"container": ("command",)})
"""What a runtime reads but does not need."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
Speech = Literal["lines", "buffers"]
"""How a program communicates: JSON lines alone, or JSON lines followed by numbers as raw bytes."""
Command = Annotated[tuple[Word, ...], pydantic.Field(min_length=1, max_length=50)]
"""A program of the folder and its arguments; ``python`` means the Python of the box."""


class Resources(Part):
    """What the application says it needs; the scenario's limits still apply."""

    memory: Bytes | None = None
    threads: int = pydantic.Field(default=1, ge=1, le=1024)


class ModelCard(Part):
    """What a buyer needs to know before use."""

    summary: Localized | str
    training_data: Localized | str | None = None
    limitations: Localized | str | None = None
    human_oversight: Localized | str | None = None
    """How a person stays in charge: when the application abstains, who takes over, and how it is overridden."""


class OfferTerms(Part):
    """Terms for matching it with scenarios; what is not set counts as unknown and refuses nothing."""

    published: bool = False
    """Anyone may find this version once it is submitted, and read its manifest."""
    languages: tuple[LanguageTag, ...] | None = None
    """Languages of the texts that it reads and writes."""
    regions: tuple[Region, ...] | None = None
    """Where it may be used: ``CN`` covers ``CN-31``."""
    sends_data: bool | None = None
    """Whether it sends data away from where it is used, such as to one of the supplier's services."""
    isolation: IsolationLevel | None = None
    """The strictest isolation level in which it still works."""


class Form(Part):
    """What a box needs to know to load an application."""

    interface: Literal["predict", "act", "mcp", "world"] = "predict"
    """``world``: not an application's, but the program of the world that it acts in."""
    runtime: Runtime = "python"
    entry_point: EntryPoint = DEFAULT_ENTRY_POINT
    model: PlainPath | None = None
    command: Command | None = None
    speaks: Speech = "lines"
    image: PlainPath | None = None
    endpoint: Endpoint | None = None


class Application(Document, published=True):
    """The manifest ``application.yaml`` of an application's folder."""

    document: Literal["application/1"] = "application/1"
    name: Name
    version: str = pydantic.Field(max_length=64, pattern=r"^\d+\.\d+\.\d+([-+][\w.]+)?$")
    title: Localized | str
    supplier: Contact
    licence: str
    scenario: Name | None = None
    """The scenario it was made for."""
    interface: Literal["predict", "act", "mcp"] = "predict"
    """``predict`` answers cases; ``act`` acts turn by turn in the world of a scenario; ``mcp`` acts by calling tools as
    a client of the Model Context Protocol."""
    runtime: Runtime = "python"
    """``python``; a model: ``onnx``, ``skops``, ``mlflow``; any language: ``command``; with its
    own system: ``container``; hosted elsewhere: ``endpoint``."""
    entry_point: EntryPoint = DEFAULT_ENTRY_POINT
    """For runtime ``python``: the function that answers; for one that acts, that returns the player, ``app:agent``."""
    model: PlainPath | None = None
    """For runtimes that load a model: its file in the folder, such as ``model.onnx``."""
    command: Command | None = None
    """For runtime ``command``: the program that answers, such as ``[python, answer.py]``; for ``container``: a program
    of the image, if not the one that the image starts by default."""
    speaks: Speech = "lines"
    """For runtimes ``command`` and ``container``: ``buffers`` sends numbers as raw bytes after each line."""
    image: PlainPath | None = None
    """For runtime ``container``: the output of ``docker save`` or ``podman save``, such as ``image.tar``."""
    endpoint: Endpoint | None = None
    """For runtime ``endpoint``: where its supplier hosts it, and how it is called."""
    requirements: PlainPath = DEFAULT_REQUIREMENTS
    """Locked requirements, a file of the folder: ``name==version --hash=sha256:…`` lines; empty: nothing is needed."""
    resources: Resources = Resources.model_construct()
    model_card: ModelCard
    offer: OfferTerms | None = None
    """What matching uses beyond contract and words."""
    evidence: Evidence | None = None
    """The supplier's evidence for the standards that scenarios name: filings, self-assessments, records of checks."""

    @property
    def subject(self) -> str:
        """The application's name across all its versions."""
        return application_subject(self.supplier.organisation, self.name)

    @property
    def acts(self) -> bool:
        """Whether it acts in a world, instead of answering cases."""
        return self.interface != "predict"

    @property
    def form(self) -> Form:
        """What a box needs to know to load it."""
        fields = {name: getattr(self, name) for name in Form.model_fields}
        if self.acts and self.entry_point == DEFAULT_ENTRY_POINT:
            fields["entry_point"] = ACTING_ENTRY_POINTS[self.interface]
        return Form(**fields)

    @property
    def offered(self) -> OfferTerms:
        """Terms for finding it: the data sent to an endpoint leave the place of use."""
        offer = self.offer or OfferTerms()
        return offer if self.endpoint is None else offer.model_copy(update={"sends_data": True})

    def _problems(self) -> Iterator[tuple[str, Text]]:
        """Yield what the runtime is missing and what it never reads, with the field to change."""
        runtime = self.runtime
        if runtime != "python" and self.entry_point != DEFAULT_ENTRY_POINT:
            yield "entry_point", text("application.no_entry_point_here", runtime=runtime)
        for name, runtimes in _READ_BY.items():
            given = getattr(self, name) is not None
            if not given and runtime in runtimes and name not in _OPTIONAL.get(runtime, ()):
                yield name, self._needed(name)
            if given and runtime not in runtimes:
                yield name, text(f"application.no_{name}_here", runtime=runtime)
        if runtime not in SPEAKING and self.speaks != "lines":
            yield "speaks", text("application.speaks_nothing_here")
        if self.endpoint is not None and self.offer is not None and self.offer.sends_data is False:
            yield "offer.sends_data", text("application.endpoint_sends")
        if self.endpoint is not None:
            yield from ((f"endpoint.{path}", problem) for path, problem in self.endpoint.problems())
        yield from self._acting_problems()

    def _acting_problems(self) -> Iterator[tuple[str, Text]]:
        """Yield where the interface does not fit what is loaded or called."""
        if self.interface == "mcp" and self.runtime != "python":
            yield "interface", text("application.mcp_needs_python")
        protocol = None if self.endpoint is None else self.endpoint.protocol
        if protocol is not None and self.acts and protocol not in ACTING:
            yield (
                "endpoint.protocol",
                text("application.protocol_answers", protocol=protocol, allowed=", ".join(ACTING)),
            )
        if protocol in ACTING and not self.acts:
            yield "interface", text("application.protocol_acts", protocol=protocol)

    def _needed(self, name: str) -> Text:
        if name == "model":
            return text("application.model_needed", runtime=self.runtime, example=MODEL_FILES[self.runtime])
        return text(f"application.{name}_needed")


def form_in_words(form: Form) -> Text:
    """Return the description of the form for readers."""
    if form.endpoint is not None:
        return text("application.form.endpoint", url=form.endpoint.url, model=form.endpoint.model)
    if form.image is not None and form.command is not None:
        return text("application.form.container", image=form.image, command=" ".join(form.command))
    if form.image is not None:
        return text("application.form.image", image=form.image)
    if form.command is not None:
        return text("application.form.command", command=" ".join(form.command))
    if form.model is not None:
        return text(f"application.form.{form.runtime}", model=form.model)
    return text("application.form.python", entry_point=form.entry_point)
