"""The whole API against its own schema: no failure of ours, no answer that the schema does not know."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hub.live_for_tests import listening, token_of

SECONDS = 120
"""For each person."""
NOT_ASKED = "ignored_auth,positive_data_acceptance"
"""What is public stays so with a wrong token's neighbour; and what fits a schema may still be about nothing that is."""


@pytest.fixture(scope="module")
def address(one_world):
    from django.conf import settings

    one_world.trial.reach("certified")
    before = settings.CONFIGURATION
    settings.CONFIGURATION = replace(before, token_requests=1_000_000)
    with listening(one_world) as found:
        yield found
    settings.CONFIGURATION = before


def run(address, token, *options):
    command = [Path(sys.executable).with_name("schemathesis"), "run", f"{address}/api/openapi.json"]
    command += ["-H", f"Authorization: Bearer {token}", "--checks", "all", "--exclude-checks", NOT_ASKED]
    command += ["--suppress-health-check", "all", "--warnings", "off", "--no-shrink", "--continue-on-failure", *options]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


@pytest.mark.prove
@pytest.mark.parametrize("who", ["desk", "owner", "supplier", "regulator"])
def test_nothing_fails_and_nothing_is_undocumented(one_world, address, who, tmp_path):
    phases = ("--phases", "examples,coverage,fuzzing,stateful", "--max-time", SECONDS, "--seed", len(who))
    done = run(address, token_of(one_world, who), *phases)
    assert done.returncode == 0, done.stdout[-20_000:]
