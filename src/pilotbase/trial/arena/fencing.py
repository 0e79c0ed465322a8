"""The fence 护栏: whether an act is allowed, decided from the plan's table of rights and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Literal

from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.world import DecisionRight, World
from pilotbase.measures.formulas.json_answers import fits

Decided = Literal["allow", "ask", "refuse", "invalid"]


@dataclass(frozen=True)
class Ruling:
    """What the fence decides about a call, and why."""

    decided: Decided
    act: str = ""
    """The class of acts; empty for a call that is none."""
    right: DecisionRight | None = None
    problem: str | None = None
    """Why it is refused or invalid: ``unknown_tool``, ``arguments``, ``user_only``, ``forbidden``."""


def judge(world: World, tool: str, arguments: Mapping[str, Any], consents: Set[Digest] = frozenset()) -> Ruling:
    """Return whether a call is allowed.

    ``consents``: digests (`act_digest`) of the acts to which their principal has consented. ``ask`` means that it has
    to be asked, never through the application.
    """
    known = world.tool(tool)
    if known is None:
        return Ruling("invalid", problem="unknown_tool")
    named = arguments.keys() <= known.input_schema.get("properties", {}).keys()
    if not named or not fits(arguments, known.input_schema):
        return Ruling("invalid", problem="arguments")
    name, acts = next(
        (name, acts)
        for name, acts in world.acts.items()
        if tool in acts.tools and (acts.where is None or fits(arguments, acts.where))
    )
    if acts.right is DecisionRight.FREE:
        return Ruling("allow", name, acts.right)
    if acts.right is DecisionRight.CONSENT:
        return Ruling("allow" if act_digest(tool, arguments) in consents else "ask", name, acts.right)
    return Ruling("refuse", name, acts.right, acts.right.value)


def act_digest(tool: str, arguments: Mapping[str, Any]) -> Digest:
    """Return what names an act, and a consent to it: the tool with its arguments."""
    return digest_json({"tool": tool, "arguments": dict(arguments)})
