"""`make bench-kinds`: what forms of applications cost in the base, compared with outside it, in one run.

ONNX: a model in the box of a trial, warm, each batch streamed in and each answer committed, beside onnxruntime alone in
a warm process, which gets the same batches in the model's own form; one thread each, in turn. The target is for a model
with real work: a boosted forest of 100 trees. For a model that computes next to nothing, nearly all the time is the
box's own and a ratio means nothing: the added time of a batch is reported instead.

Endpoints: questions to an OpenAI-compatible server on this machine that answers at once, 16 at a time, worded, asked,
recorded call by call, committed, scored and judged, beside an evaluation of Inspect AI over the same server, and over
its own mock, which sends nothing. Each side is one process, whose CPU is reported without imports; the server's is left
out.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.kinds import onnx, onnx_models, samples
from benchmarks.publishing import Row, options_of, publish, row, show

PACKAGES = ("pilotbase", "numpy", "onnx", "onnxruntime")
PEER = "onnxruntime alone, a warm process"
RATIO = 1.15
INSPECT = "Inspect AI, one evaluation over the same server"
SAMPLE_ROUNDS = 3
MOST_CPU_MS = 1.0
MODELS = {
    "boosted forest of 100 trees": onnx_models.write_forest,
    "network of two layers of 128": onnx_models.write_network,
    "linear model": onnx_models.write_linear,
}


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="of each model, in turn")
    options = parser.parse_args()
    rows = onnx_in_the_box(20_000 if options.quick else 400_000, 1 if options.quick else options.rounds)
    asked, versions = questions_asked(50 if options.quick else 1000, 1 if options.quick else SAMPLE_ROUNDS)
    rows += asked
    if options.quick:
        show(rows)
        return
    publish("kinds", rows, options.rounds, PACKAGES, versions)


def onnx_in_the_box(count: int, rounds: int) -> list[Row]:
    """Return the time that models in the box take for so many rows, beside onnxruntime alone."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="pb-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for model, write in MODELS.items():
            print(f"  ONNX, {model}, {count:,} rows", flush=True)
            found += _of_model(model, onnx.measure(write, folder, count, rounds), count)
    return found


def _of_model(model: str, found: onnx.Beside, count: int) -> list[Row]:
    said = f"ONNX in the box, {model}, {count:,} x {onnx_models.COLUMNS} in batches of {onnx.BATCH:,}"
    wall, bare, ratio = found.median("wall")
    if model != next(iter(MODELS)):
        added = 1000 * (wall - bare) / -(-count // onnx.BATCH)
        return [row(f"{said}: added to a batch", added, "ms", None, True, PEER, 1000 * bare * onnx.BATCH / count)]
    cpu, bare_cpu, ratio_cpu = found.median("cpu")
    boxed_whole, bare_whole = found.whole
    target, whole = f"<= {RATIO} x peer", f"{said}: a whole process, from its start to its end"
    return [
        row(f"{said}: by the clock", wall, "s", target, ratio <= RATIO, PEER, bare, ratio),
        row(f"{said}: processors, all processes", cpu, "s", target, ratio_cpu <= RATIO, PEER, bare_cpu, ratio_cpu),
        row(whole, boxed_whole, "s", None, True, "onnxruntime alone", bare_whole, boxed_whole / bare_whole),
    ]


def questions_asked(count: int, rounds: int) -> tuple[list[Row], dict[str, str]]:
    """Return the time that so many questions to an endpoint take, beside Inspect AI, and the peer's versions."""
    print(f"  endpoints, {count:,} questions", flush=True)
    found = samples.measure(count, rounds)
    said = f"an endpoint that answers at once, {count:,} questions, {samples.CONNECTIONS} at a time"
    cpu, wall, size = (found.ours.median(of) for of in ("cpu", "wall", "size"))
    target, mock = f"<= {MOST_CPU_MS:g} ms", f"{INSPECT.partition(',')[0]}, its own mock, which sends nothing"
    return [
        row(f"{said}: processor time of a question", cpu, "ms", target, cpu <= MOST_CPU_MS, INSPECT,
            found.peer.median("cpu"), found.ratio("cpu", found.peer)),
        row(f"{said}: the same", cpu, "ms", None, True, mock,
            found.mock.median("cpu"), found.ratio("cpu", found.mock)),
        row(f"{said}: time of a question by the clock", wall, "ms", None, True, INSPECT,
            found.peer.median("wall"), found.ratio("wall", found.peer)),
        row(f"{said}: what is kept of a question", size, "bytes", None, True, INSPECT,
            found.peer.median("size"), found.ratio("size", found.peer)),
    ], found.versions  # fmt: skip


if __name__ == "__main__":
    main()
