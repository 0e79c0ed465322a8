"""The morning of docs/share-computing-power.md, and a small trace with GPUs."""

import re
from pathlib import Path

from pilotbase_estate.replay.traces import Trace, TraceJob, read_trace

PAGE = Path(__file__).parents[3] / "docs" / "share-computing-power.md"


def write_morning(folder: Path) -> tuple[Path, Path]:
    jobs, nodes = re.findall(r"```text\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    (folder / "jobs.csv").write_text(jobs, "utf-8")
    (folder / "nodes.csv").write_text(nodes, "utf-8")
    return folder / "jobs.csv", folder / "nodes.csv"


def morning(folder: Path) -> Trace:
    return read_trace(*write_morning(folder))


def gpus() -> Trace:
    """Two machines of two GPUs: whole GPUs, halves and cores alone, of two organisations."""
    nodes = {name: {"cpu": 8000, "gpu/t4": 2000} for name in ("a", "b")}
    demands = (
        {"cpu": 1000, "gpu/t4": 1000},
        {"cpu": 1000, "gpu/t4": 500},
        {"cpu": 2000},
        {"cpu": 1000, "gpu/t4": 2000},
    )
    jobs = tuple(
        TraceJob(f"j{number}", "plant" if number % 3 else "lab", "", 60.0 * number, 500.0, demands[number % 4])
        for number in range(24)
    )
    return Trace(nodes, jobs)
