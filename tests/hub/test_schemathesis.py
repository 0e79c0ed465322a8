"""The whole API against its own schema: no failure of ours, no answer that the schema does not know."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hub.live_for_tests import listening, token_of
from tests.hub.told_for_tests import tell_all

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


def run(address, token, *options, configuration=()):
    command = [Path(sys.executable).with_name("schemathesis"), *configuration, "run", f"{address}/api/openapi.json"]
    command += ["-H", f"Authorization: Bearer {token}", "--checks", "all", "--exclude-checks", NOT_ASKED]
    command += ["--suppress-health-check", "all", "--warnings", "off", "--no-shrink", "--continue-on-failure", *options]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def told(done):
    """Return what it says, its long lines cut: a body of megabytes would hide which operation it went to."""
    return "\n".join(line[:400] for line in done.stdout.splitlines())[-20_000:]


@pytest.fixture(scope="module")
def configuration(one_world, address, tmp_path_factory):
    """Where it is said what the parameters of operations about data are called on this hub."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        known = tell_all(one_world, tmp_path_factory.mktemp("told"), monkeypatch)
    lines = []
    for beginning, parameters in known.items():
        named = ", ".join(f"{name} = {json.dumps(value)}" for name, value in parameters.items())
        lines += ["[[operations]]", f'include-path-regex = "^{beginning}"', f"parameters = {{ {named} }}"]
    file = tmp_path_factory.mktemp("configuration") / "schemathesis.toml"
    file.write_text("\n".join(lines))
    return "--config-file", file


@pytest.mark.prove
@pytest.mark.parametrize("who", ["reviewer", "regulator", "supplier", "planner", "desk", "owner"])
def test_what_there_is_of_data_is_answered_as_documented(one_world, address, configuration, who):
    """Reading first, then all; the owner last, who may take things away."""
    about = ("--include-path-regex", "^/api/(datasets|labelling|descriptions|sites|site-packs|site-reports|agreements)")
    phases = (*about, "--phases", "coverage,fuzzing", "--max-time", SECONDS // 2, "--seed", len(who))
    writing = [word for method in ("POST", "PUT", "DELETE") for word in ("--exclude-method", method)]
    for left_out in (writing, []):
        done = run(address, token_of(one_world, who), *phases, *left_out, configuration=configuration)
        assert done.returncode == 0, told(done)


@pytest.mark.prove
@pytest.mark.parametrize("who", ["owner", "supplier", "reviewer", "regulator", "planner", "desk"])
def test_nothing_fails_and_nothing_is_undocumented(one_world, address, who, tmp_path):
    """After what needs people in their roles, and the operator last, who may take them away."""
    phases = ("--phases", "examples,coverage,fuzzing,stateful", "--max-time", SECONDS, "--seed", len(who))
    done = run(address, token_of(one_world, who), *phases)
    assert done.returncode == 0, told(done)
