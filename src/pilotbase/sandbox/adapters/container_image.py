"""A container image whose program answers lines of JSON or buffers, as in `command_lines`.

The image is already the root of the box; only its program is started here: the manifest's ``command``, else the image's
own, with the image's variables, in its folder. The user is the box's, even if the image names one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNTIME = "container"
NEEDS = ()
EXTRA = ""
NEIGHBOURS = ("command_lines",)

_START = "start.json"
_OF_THE_BOX = ("HOME", "TMPDIR", "USER")
_USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def load(given: Any) -> Callable[[Any], Any]:
    """Return a function that answers batches, once the image's program has answered the empty one."""
    start = json.loads(Path(given.environment, _START).read_bytes())
    variables = _variables(start)
    words = [*(given.form.get("command") or start["command"])]
    if not words:
        said = "the image starts nothing: give it an ENTRYPOINT or CMD, or name the command in the manifest"
        raise given.refused("model_unreadable", said)
    program = shutil.which(words[0], path=variables["PATH"])
    if program is None:
        raise given.refused("model_unreadable", f"{words[0]} is no program of the image")
    folder = start["folder"] if Path(start["folder"]).is_dir() else "/"
    lines = given.neighbour(NEIGHBOURS[0])
    try:
        process = lines.started([program, *words[1:]], variables, folder)
    except (OSError, ValueError) as problem:
        raise given.refused("model_unreadable", f"{words[0]} cannot be run here: {problem}") from None
    predict: Callable[[Any], Any] = lines.answering(process, given)
    return predict


def _variables(start: Any) -> dict[str, str]:
    """Return the image's variables, with the box's scratch as the home and the box's number of threads."""
    ours = {name: value for name, value in os.environ.items() if name in _OF_THE_BOX or name.endswith("_THREADS")}
    return {"PATH": _USUAL_PATH, "LANG": "C.UTF-8", **start["variables"], **ours}
