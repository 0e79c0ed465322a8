"""frictionless 5 as an oracle, in an environment of its own: packages that we write are valid. Part of `make prove`."""

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks.peers.environments import peer_environment, peer_python
from pilotbase.data.bridges import bridges
from pilotbase.documents.vocabularies import Opening
from tests.data.croissant.datasets_for_tests import complete, load_croissant
from tests.data.croissant.test_conformance import VALID

pytestmark = pytest.mark.prove
PROGRAM = Path(__file__).parent / "verdicts_of_frictionless.py"


def test_it_finds_nothing_wrong_with_what_we_write(tmp_path):
    described = {"complete": complete(), "closed": complete(opening="compute_to_data")}
    for path in VALID:
        described[path.stem] = load_croissant(path).require().model_copy(update={"opening": Opening.OPEN})
    for name, dataset in described.items():
        (tmp_path / f"{name}.json").write_text(bridges()["frictionless"].write(dataset).content, "utf-8")
    (tmp_path / "broken.json").write_text('{"resources": [{"name": "a"}]}', "utf-8")
    asked = [str(peer_python("frictionless")), str(PROGRAM), str(tmp_path)]
    run = subprocess.run(asked, env=peer_environment(), capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    assert found.pop("broken"), "it refuses what is wrong"
    assert {name: said for name, said in found.items() if said} == {}
