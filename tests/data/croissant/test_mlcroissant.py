"""mlcroissant 1.1.1 as an oracle, in an environment of its own: what we write it accepts, and where we ask for more.

Long, and the environment takes 350 MB: part of `make prove`.
"""

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks.peers.environments import peer_environment, peer_python
from pilotbase.data.croissant.findings import FieldStatistics, Measured, Measurement
from pilotbase.data.croissant.writing import write_croissant
from pilotbase.documents.vocabularies import Opening
from tests.data.croissant.datasets_for_tests import complete, load_croissant, read
from tests.data.croissant.faults_for_tests import FAULTS, spoiled
from tests.data.croissant.test_conformance import VALID

pytestmark = pytest.mark.prove
PROGRAM = Path(__file__).parent / "mlcroissant_verdicts.py"
MEASURED = (
    Measurement("value-completeness", 0.98, numerator=98, denominator=100, method="pb-1.0", data="sha256:" + "0" * 64),
    Measurement("label-accuracy", 0.9, lower=0.8, upper=0.95, engine="pilotbase 0.1.0, polars 1.0", method="pb-1.0"),
    Measurement("uniqueness", 1.0, record_set="readings"),
    Measurement("feature-completeness", 0.5, record_set="readings", field="state", at="2026-06-01T00:00:00Z"),
)
STATISTICS = (FieldStatistics("readings", "流量 (m³/h)", 12.5, 0.25, 890.0),)


@pytest.fixture(scope="session")
def verdicts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("descriptions")
    described = {f"fault {name}": spoiled(fault) for name, fault in FAULTS.items()}
    described["complete"] = write_croissant(complete(), Measured(MEASURED, STATISTICS))
    described["on terms"] = write_croissant(complete(opening="on_terms"))
    described["closed"] = write_croissant(complete(opening="compute_to_data"))
    for path in VALID:
        dataset = load_croissant(path).require().model_copy(update={"opening": Opening.OPEN})
        described[f"again {path.stem}"] = write_croissant(dataset)
    for name, value in described.items():
        (folder / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    asked = [str(peer_python("mlcroissant")), str(PROGRAM), str(folder), "complete"]
    run = subprocess.run(asked, env=peer_environment(), capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", ["complete", "on terms", "closed"])
def test_it_accepts_what_we_write(verdicts, name):
    assert verdicts["verdicts"][name] is None


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_it_accepts_what_we_write_again_of_what_others_wrote(verdicts, path):
    assert verdicts["verdicts"][f"again {path.stem}"] is None


@pytest.mark.parametrize("name", FAULTS)
def test_what_we_refuse_it_refuses_too_or_there_is_a_reason(verdicts, name):
    refused = verdicts["verdicts"][f"fault {name}"] is not None
    assert refused == (FAULTS[name].accepted is None), verdicts["verdicts"][f"fault {name}"]


def test_what_it_writes_itself_of_ours_still_says_the_same(verdicts):
    """Its own `to_json` keeps the offer and our terms; it drops what it says is the default."""
    found = read(verdicts["kept"]["complete"])
    assert found.faults == ()
    again, ours = found.require(), complete()
    assert again.usage == ours.usage
    assert [field.name for field in again.record_sets[0].fields] == [field.name for field in ours.record_sets[0].fields]
    assert again.distribution == ours.distribution
    assert found.measured == Measured(MEASURED, STATISTICS)
