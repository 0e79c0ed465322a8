#!/usr/bin/env sh
# Rewrites the locks from pyproject.toml: hashes for every wheel, one file for Python 3.11 to 3.13, no index named.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q "$@" pyproject.toml; }
lock --group build -o requirements/base.txt
lock --group build --group dev -c requirements/base.txt -o requirements/dev.txt
