"""An endpoint as an application of the small scenario, and that scenario with cases that may leave."""

import json
from collections.abc import Callable
from pathlib import Path

import yaml

from pilotbase.documents.application import Form
from tests.trial.conftest import MANIFEST


def alarm(pressure: float, **_: object) -> str:
    """Answer as the application of the other tests does."""
    return "broken" if pressure > 6 else "fine"


def may_leave(content: str) -> str:
    """Let cases leave, and ask for nothing that cannot be measured of an endpoint; calls are of full batches."""
    timed = content.replace("memory.peak <= 512 MiB", "latency.max <= 60 s")
    return f"{timed}conditions: {{data_may_leave: true}}\n"


def writing_endpoint(place: Path) -> Callable[..., Path]:
    """Return a function that writes the folder of an endpoint into ``place``."""

    def write(endpoint: dict, name: str = "kept") -> Path:
        folder = place / name
        folder.mkdir()
        form = Form(runtime="endpoint", endpoint=endpoint).to_json_value()
        manifest = yaml.safe_load(MANIFEST.format(name=name, supplier="acme"))
        written = {**manifest, "runtime": "endpoint", "endpoint": form["endpoint"]}
        (folder / "application.yaml").write_text(json.dumps(written))
        return folder

    return write
