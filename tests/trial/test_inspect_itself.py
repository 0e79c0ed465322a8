"""Inspect AI, in an environment of its own, runs an agent with a tool: what it wrote is read, in both of its forms."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.peers.environments import peer_environment, peer_python
from pilotbase.documents.plan import DecisionPlan
from pilotbase.protocols.inspect_logs import read_inspect_log
from pilotbase.trial.deciding import decide_recorded
from pilotbase.trial.recorded_cases import read_recorded_cases

PROGRAM = Path(__file__).resolve().parents[2] / "benchmarks" / "peers" / "programs" / "inspect_agent.py"


@pytest.mark.prove
@pytest.mark.parametrize("form", ["eval", "json"])
def test_runs_of_an_agent_with_a_tool_are_decided(form, tmp_path):
    done = subprocess.run(
        [str(peer_python("inspect_ai")), str(PROGRAM), str(tmp_path), form],
        check=True, capture_output=True, text=True, env=peer_environment(),
    )  # fmt: skip
    file = Path(done.stdout.split()[-1])
    found = {(run.sample, run.epoch): (run.end, run.scores.get("includes")) for run in read_inspect_log(file).runs}
    for epoch in (1, 2):
        assert [found[name, epoch] for name in ("a", "b", "c", "z")] == [("scored", score) for score in (1, 1, 0, 1)]
        assert found["loop", epoch] == ("limit", 0.0) and found["boom", epoch] == ("error", None)
    criteria = ["score(includes) >= 0.4", "score(manner/brief) >= 0.1"]
    plan = DecisionPlan.model_validate({"criteria": criteria, "prediction": "scores", "design": {"stop": "full"}})
    decided = decide_recorded(plan, read_recorded_cases(file, plan))
    assert decided.units == 6 and decided.decisions[0].criteria[0].estimate == 0.5
