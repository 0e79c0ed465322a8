"""Hidden data of the world's scenario, sealed as a trial seals them, and attempts on them."""

import io

import polars as pl

from pilotbase.documents.hashes import digest_bytes
from pilotbase.trial.sealed import SealedScenario
from pilotbase.vault.attempts import AttemptRequest, mark_delivered, open_attempt
from pilotbase.vault.sealing import HiddenSet, SealTerms, seal
from pilotbase.workspace.actors import parties

CASES = pl.DataFrame({"torque": [float(row) for row in range(60)], "failure": ["broken", "fine"] * 30})


def seal_hidden(world, attempts: int, frame: pl.DataFrame = CASES) -> HiddenSet:
    """Seal 60 cases of the world's scenario, which allow so many attempts."""
    from pilotbase.hub.base import base

    lab, scenario = base().lab, world.trial.scenario
    hidden = seal(lab.vault, frame, SealTerms(scenario.digest(), "plant", alpha=0.05, attempts=attempts))
    sample = io.BytesIO()
    CASES.head(10).write_parquet(sample)
    record = SealedScenario(
        scenario=scenario.digest(),
        source=digest_bytes(b"cases"),
        public_sample=lab.vault.blobs.put(sample.getvalue()),
        public_cases=10,
        hidden_set=hidden.digest(),
        hidden_cases=60,
        classes=("broken", "fine"),
    )
    with lab.view.transaction("scenario.sealed") as change:
        change.put(record, parties("plant"), owner="plant", fields={"scenario": scenario.name})
    return hidden


def use_attempt(hidden: HiddenSet, plan: str) -> None:
    """Spend one attempt on a hidden set."""
    from pilotbase.hub.base import base

    vault = base().lab.vault
    named = digest_bytes(plan.encode())
    mark_delivered(vault, open_attempt(vault, hidden, AttemptRequest(named, named, "00" * 16, 10)))
