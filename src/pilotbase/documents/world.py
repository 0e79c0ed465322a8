"""World 世界: the tools, decision rights 决策权 and limits of episodes 回合 in which an application acts.

A world is a folder: this document as ``world.yaml``, and ``world.py``, which plays it. An episode is a case: its row in
the table of cases (`EPISODE_FIELDS`) and the world's digest determine all that the application's acts do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Localized, Name, Part
from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.door import ModelDoor
from pilotbase.documents.errors import offer
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quantities import MOST_SECONDS, Bytes, Seconds
from pilotbase.documents.texts import Text, text

WORLD_MANIFEST, WORLD_PROGRAM = "world.yaml", "world.py"
CLEAN = "clean"
"""The arm in which nothing is changed."""
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,127}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class DecisionRight(StrEnum):
    """Who decides about an act."""

    FREE = "free"
    CONSENT = "consent"
    USER_ONLY = "user_only"
    FORBIDDEN = "forbidden"


class Arm(StrEnum):
    """What an episode is played under beside its clean form; names: text ``measure.under.<value>``."""

    TOOL_ERROR = "tool_error"
    SLOW = "slow"
    INJECTED = "injected"
    HARMLESS = "harmless"
    AMBIGUOUS = "ambiguous"
    PARTIAL = "partial"
    CHANGED_MIND = "changed_mind"
    PERSUASION = "persuasion"


class Tool(Part):
    """A tool as MCP describes it (revision 2026-07-28, ``Tool``); annotations are not read: rights come from acts."""

    name: ToolName
    title: str | None = None
    description: Localized | str = ""
    input_schema: dict[str, Any] = pydantic.Field(alias="inputSchema")
    """JSON Schema of the arguments; arguments that it does not name are refused."""
    output_schema: dict[str, Any] | None = pydantic.Field(default=None, alias="outputSchema")


class ActClass(Part):
    """Acts of one kind, and who decides about them."""

    right: DecisionRight
    tools: tuple[ToolName, ...] = pydantic.Field(min_length=1)
    where: dict[str, Any] | None = None
    """JSON Schema of the arguments that this class is about; all when not set."""
    of: Name | None = None
    """Who consents, such as ``account_holder``; the user when not set."""
    reversible: bool = True


class EpisodeTemplates(Part):
    """What episodes are about: public ones are practised, sealed ones appear in hidden episodes alone."""

    public: tuple[Word, ...] = pydantic.Field(min_length=1, max_length=1000)
    sealed: tuple[Word, ...] = pydantic.Field(default=(), max_length=1000)
    fixed: bool = False
    """Each template is one task, the same in all its episodes: hidden episodes are of sealed templates alone."""

    @property
    def every(self) -> tuple[str, ...]:
        return (*self.public, *self.sealed)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return those of hidden episodes."""
        return self.sealed if self.fixed else self.every


class EpisodeLimits(Part):
    """When an episode ends without the application: it then counts as the worst for each criterion."""

    turns: int = pydantic.Field(default=30, ge=1, le=1000)
    """Acts; a message without any counts as one."""
    seconds: Seconds = pydantic.Field(default=300, gt=0, le=MOST_SECONDS)
    """Time that the application itself takes."""
    message_bytes: Bytes = pydantic.Field(default=64 << 10, ge=1 << 10, le=1 << 20)
    """Of one message of the application."""


class World(Document, published=True):
    """The manifest ``world.yaml`` of a world's folder."""

    document: Literal["world/1"] = "world/1"
    name: Name
    title: Localized | str
    version: str = pydantic.Field(max_length=64, pattern=r"^\d+\.\d+\.\d+([-+][\w.]+)?$")
    templates: EpisodeTemplates
    languages: tuple[Language, ...] = pydantic.Field(min_length=1, max_length=20)
    tools: tuple[Tool, ...] = pydantic.Field(min_length=1, max_length=200)
    acts: dict[Word, ActClass] = pydantic.Field(min_length=1, max_length=100)
    """Decision rights: a call belongs to the first class that lists its tool and fits its arguments."""
    arms: tuple[Arm, ...] = ()
    outcomes: tuple[Word, ...] = pydantic.Field(default=(), max_length=50)
    """What ``finish`` tells of an episode beside ``reached`` and ``attacked``: true or false, or a share in [0, 1]."""
    episode: EpisodeLimits = EpisodeLimits.model_construct()

    @property
    def classes(self) -> tuple[str, ...]:
        """Return what measures may name: the classes of acts, the rights, and the outcomes."""
        return (*self.acts, *(right.value for right in DecisionRight), *self.outcomes)

    def shown(self) -> World:
        """Return the world as suppliers see it, without the names of sealed templates."""
        return self.model_copy(update={"templates": EpisodeTemplates(public=self.templates.public)})

    def tool(self, name: str) -> Tool | None:
        """Return the tool of that name, if there is one."""
        return next((tool for tool in self.tools if tool.name == name), None)

    def _problems(self) -> Iterator[tuple[str, Text]]:
        names = [tool.name for tool in self.tools]
        yield from _doubles("tools", names)
        yield from _doubles("templates", list(self.templates.every))
        if not self.templates.hidden:
            yield "templates.sealed", text("world.fixed_without_sealed")
        yield from _doubles("acts", list(self.classes))
        for name, acts in self.acts.items():
            for tool in acts.tools:
                if tool not in names:
                    yield f"acts.{name}.tools", text("world.unknown_tool", found=tool, allowed=offer(tool, names))
        settled = {tool for acts in self.acts.values() if acts.where is None for tool in acts.tools}
        for name in names:
            if name not in settled:
                yield "acts", text("world.tool_without_right", tool=name)


def _doubles(path: str, names: list[str]) -> Iterator[tuple[str, Text]]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield path, text("world.double_name", found=name)


EPISODE, TEMPLATE, LANGUAGE, ARM, SEED = "episode", "template", "language", "arm", "seed"
EPISODE_FIELDS = tuple(Field(name=name, data_type=DataType.TEXT) for name in (EPISODE, TEMPLATE, LANGUAGE, ARM, SEED))
"""Columns of the table of episodes. ``seed``: 32 bytes, hex; ``episode`` commits to it."""


def episode_name(template: str, language: str, seed: str) -> str:
    """Return what names an episode and tells nothing of its seed (hex): the same in every arm."""
    return hashlib.sha256(f"pilotbase episode\x00{template}\x00{language}\x00{seed}".encode()).hexdigest()


class WorldUse(Part):
    """The world of a scenario, and how many of its episodes are played."""

    name: Name | None = None
    """A world that comes with the base."""
    folder: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][\w.-]*$", max_length=100)] | None = None
    """A world in the scenario's own folder."""
    practice: int = pydantic.Field(default=20, ge=2, le=10_000)
    """Episodes that suppliers may play as often as they like: of public templates, from published seeds."""
    hidden: int = pydantic.Field(ge=1, le=1_000_000)
    """Episodes that are drawn in secret when the scenario is sealed; each is played in one attempt."""
    door: ModelDoor | None = None
    """The model that an application in a box may use; none when not set."""


class Gate(StrEnum):
    """What is checked; names: text ``worlds.gate.<value>``."""

    RUNS = "runs"
    ORACLE = "oracle"
    OUTCOMES = "outcomes"
    IDLE = "idle"
    GUESSING = "guessing"
    CONSTANT = "constant"
    INJECTION = "injection"
    LEAK = "leak"
    KNOWLEDGE = "knowledge"
    ARMS = "arms"
    REPEATED = "repeated"
    DISTINCT = "distinct"


class GateResult(Part):
    """What one gate has found."""

    gate: Gate
    holds: bool
    episodes: int
    problem: Text | None = None


class WorldCheck(Part):
    """What was found about a world; after a gate at which its program failed, the others were not tried."""

    name: str
    version: str
    digest: Digest
    gates: tuple[GateResult, ...]

    @property
    def holds(self) -> bool:
        return all(gate.holds for gate in self.gates)
