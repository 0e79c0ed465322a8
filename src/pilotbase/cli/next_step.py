"""``pilotbase next``: the step that what lies in a folder, or waits on a hub, leads to."""

from __future__ import annotations

from pathlib import Path

from pilotbase.cli import hub_records
from pilotbase.cli.framework.driving import is_remote, remote
from pilotbase.cli.framework.terminal import say
from pilotbase.documents.texts import text


@remote
def next_step(folder: Path = Path()) -> None:
    """Say what to do now with what lies in this folder, or what is waiting for you on a hub."""
    if is_remote():
        hub_records.work()
        return
    from pilotbase.worker.intake.next_steps import next_steps

    for step in next_steps(folder):
        say(text("next.here.step", stands=step.stands, command=step.command))
