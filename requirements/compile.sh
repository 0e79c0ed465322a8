#!/usr/bin/env sh
# Rewrites the locks from pyproject.toml, and of the worlds that play packages: hashes for every wheel, one file for
# Python 3.11 to 3.13, no index named.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q "$@"; }
compile --group build -o requirements/base.txt pyproject.toml
compile --group build --group dev -c requirements/base.txt -o requirements/dev.txt pyproject.toml
# AgentDojo without the clients of models, which its suites do not use.
compile --no-deps -o src/pilotbase/worlds/agentdojo/requirements.lock - <<PACKAGES
agentdojo==0.1.35
annotated-types
cachebox
deepdiff
dnspython
docstring-parser
email-validator
idna
orderly-set
pydantic
pydantic-core==2.50.5
pyyaml
typing-extensions
typing-inspection
PACKAGES
compile -o src/pilotbase/worlds/driving/requirements.lock - <<PACKAGES
highway-env==1.12.1
PACKAGES
