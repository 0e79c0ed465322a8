"""``pilotbase voucher``: the way of the page, from rules to the auditor, in either language."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.cli import app
from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import Organisation
from pilotbase.worker.base import Base, open_base

PAGE = Path(__file__).parents[2] / "docs" / "pay-with-vouchers.md"
HOUR = 3_600_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with the programme and the prices of the page, for all tests."""
    folder = tmp_path_factory.mktemp("vouchers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTBASE_HOME", str(folder / "home"))
        year = f"{open_base(create=True).lab.store.clock():%Y}"
        for name, block in re.findall(r"```yaml example=(\w+)\n(.*?)```", PAGE.read_text("utf-8"), re.S):
            (folder / f"{name}.yaml").write_text(block.replace("2027", year), "utf-8")
            told([name, folder / f"{name}.yaml"])
    return folder / "home"


@pytest.fixture
def base(home: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    monkeypatch.setenv("PILOTBASE_HOME", str(home))
    monkeypatch.setenv("PILOTBASE_LANGUAGE", "en")
    return open_base()


def run(words: list[object], exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, ["voucher", *map(str, words)])
    assert result.exit_code == exit_code, result.output
    return result.output


def told(words: list[object]) -> str:
    return run(words)


def as_json(words: list[object]) -> dict:
    return json.loads(run([*words, "--json"]))


def register(base: Base, name: str, *related: str) -> None:
    organisation = Organisation(name=name, title=name, roles=("supplier",), related=related)
    advance(base.lab.view, f"organisation:{name}", Act.ORGANISATION_REGISTER, Move(organisation))


def sheet(base: Base, folder: Path, job: str) -> Path:
    """Write the usage sheet of an hour that ends now."""
    now = base.lab.store.clock()
    usage = {"source": "cgroup v2", "node": "n1", "wall_ms": HOUR, "cpu_ms": 4 * HOUR, "gpu_ms": {"t4": HOUR}}
    times = {"started_at": (now - timedelta(hours=1)).isoformat(), "ended_at": now.isoformat()}
    path = folder / "usage.json"
    path.write_text(json.dumps({"document": "usage-sheet/1", "job": job, "attempt": 1, **times, "usage": usage}))
    return path


def programme_of(base: Base) -> str:
    return f"example-{base.lab.store.clock():%Y}"


def test_the_way_of_the_page(base: Base, tmp_path: Path) -> None:
    programme = programme_of(base)
    voucher = as_json(["issue", programme, "acme", "5000"])["identity"]
    held = told(["hold", voucher, "job:41", "hall", "--of", "cpu=4", "--of", "gpu/t4=1", "--hours", 2])
    assert "4.32 CNY is on hold for job:41, which costs at most 14.40 CNY" in held
    assert "free 4,995.68, on hold 4.32" in told(["wallet", "acme"])
    settled = told(["settle", sheet(base, tmp_path, "job:41")])
    assert settled == "job:41 costs 7.20 CNY: the voucher pays 2.16 CNY, its organisation 5.04 CNY\n"
    assert told(["settle", tmp_path / "usage.json"]) == settled

    (tmp_path / "receipt.pdf").write_bytes(b"paid")
    paid = ["--receipt", tmp_path / "receipt.pdf", "--amount", "5.04"]
    assert "5.04 CNY was paid" in run(["claim", "job:41", "supplier"], 5)
    granted = as_json(["claim", "job:41", "supplier", *paid])
    assert (granted["granted"], granted["amount"]) == (True, 216)
    both = run(["claim", "job:41", "consumer", "--receipt", tmp_path / "receipt.pdf", "--amount", "7.20"], 5)
    assert "example-centre already has a claim on this use" in both
    assert "granted, 2.16" in told(["claims"])
    assert "is recorded as paid out" in told(["pay", granted["claim"], "--reference", "bank-77"])
    wallet = as_json(["wallet", "acme"])
    assert [row["step"] for row in wallet["movements"]] == ["pay", "claim", "settle", "hold", "issue"]

    assert "5 movements" in told(["export", programme, tmp_path / "evidence"])
    assert as_json(["audit", tmp_path / "evidence"])["problems"] == []
    key = tmp_path / "evidence" / "log-key.txt"
    assert "5 movements, 1 settlement, 3 claims" in told(["audit", tmp_path / "evidence", "--key", key])
    uses = tmp_path / "evidence" / "usage.csv"
    uses.write_bytes(uses.read_bytes().replace(b"gpu/t4,3600000", b"gpu/t4,3600001"))
    found = run(["audit", tmp_path / "evidence"], 3)
    assert "usage.csv does not match ledger.json" in found


def test_a_fourth_organisation_is_refused_as_related(base: Base) -> None:
    programme = programme_of(base)
    register(base, "example-centre", "holding")
    register(base, "fourth", "holding")
    register(base, "third")
    third, fourth = (as_json(["issue", programme, name, "100"])["identity"] for name in ("third", "fourth"))
    ask = ["hall", "--of", "cpu=4", "--hours", 10]
    assert "on hold for job:1" in told(["hold", third, "job:1", *ask])
    refused = run(["hold", fourth, "job:2", *ask], 5)
    assert "fourth and example-centre are related: fourth – holding – example-centre" in refused


def test_bad_input_is_told_in_both_languages(base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programme = programme_of(base)
    assert "lots is no amount of money" in run(["issue", programme, "acme", "lots"], 2)
    assert "50,000.01 CNY" in run(["issue", programme, "acme", "50000.01"], 5)
    voucher = as_json(["issue", programme, "acme", "100"])["identity"]
    assert "does not name a dimension and an amount" in run(["hold", voucher, "job:61", "hall", "--of", "cpu"], 2)
    assert "Pool other has no prices" in run(["hold", voucher, "job:61", "other", "--of", "cpu=1"], 2)
    assert "No voucher pays for attempt 1 of job:9" in run(["claim", "job:9", "supplier"], 2)
    assert "nothing to give back" in told(["release", "job:9"])
    assert "nobody has no vouchers" in told(["wallet", "nobody"])
    (tmp_path / "broken.yaml").write_text("document: voucher-rules/1\nname: x\nrate: 20000\n", "utf-8")
    broken = run(["rules", tmp_path / "broken.yaml"], 2)
    assert "rate" in broken and "cap_year" in broken, "all problems at once"
    monkeypatch.setenv("PILOTBASE_LANGUAGE", "zh")
    run(["revoke", voucher, "--reason", "错误申报"])
    assert "算力券" in run(["hold", voucher, "job:61", "hall", "--of", "cpu=1"], 5)


def test_what_is_used_is_listed_released_and_refunded(base: Base, tmp_path: Path) -> None:
    voucher = as_json(["issue", programme_of(base), "fifth", "100"])["identity"]
    for job in ("job:51", "job:52"):
        told(["hold", voucher, job, "hall", "--of", "cpu=4", "--of", "gpu/t4=1"])
    assert "was released" in told(["release", "job:51"])
    told(["settle", sheet(base, tmp_path, "job:52")])
    assert "was returned to the voucher" in told(["refund", "job:52", "--reason", "node lost"])
    moved = {move["moved_at"] for move in as_json(["wallet", "fifth"])["movements"]}
    assert {use["held_at"] for use in as_json(["uses", "--voucher", voucher])} <= moved
    listed = told(["uses"])
    assert "job:51, attempt 1: released" in listed and "job:52, attempt 1: refunded" in listed
    assert "free 100.00, on hold 0.00" in told(["wallet", "fifth"])
