"""The world of a scenario as a page lays it out: its tools, and who decides about each call of them."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.documents.world import Tool, World, WorldUse
from pilotbase.trial.arena.shelf import world_seen
from pilotbase.worker.base import Base


@dataclass(frozen=True)
class ShownTool:
    """A tool, the names of its arguments, and the classes of acts that its calls may be of."""

    tool: Tool
    arguments: str
    rights: tuple[Text, ...]


@dataclass(frozen=True)
class ShownWorld:
    """A world and how many of its episodes a scenario plays; ``world`` is None where only its name is known."""

    use: WorldUse
    world: World | None
    tools: tuple[ShownTool, ...] = ()
    arms: tuple[Text, ...] = ()


def world_shown(base: Base, scenario: Scenario) -> ShownWorld | None:
    """Return the world of a scenario that the actor sees; None: it has a table."""
    if scenario.world is None:
        return None
    world = world_seen(base.lab.view, scenario)
    if world is None:
        return ShownWorld(scenario.world, None)
    arms = tuple(text(f"measure.under.{arm.value}") for arm in world.arms)
    return ShownWorld(scenario.world, world, tuple(_tool(world, tool) for tool in world.tools), arms)


def _tool(world: World, tool: Tool) -> ShownTool:
    rights = []
    for name, acts in world.acts.items():
        if tool.name in acts.tools:
            code = "hub.world.right" if acts.where is None else "hub.world.right_where"
            rights.append(text(code, acts=name, right=text(f"world.right.{acts.right.value}")))
    return ShownTool(tool, ", ".join(tool.input_schema.get("properties", {})), tuple(rights))
