"""A vault with a sealed set for the tests."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.documents.hashes import digest_bytes
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, SealTerms, seal
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

SCENARIO = digest_bytes(b"scenario")


@pytest.fixture
def rows() -> pl.DataFrame:
    chance = np.random.default_rng(7)
    return pl.DataFrame(
        {"temperature": chance.normal(size=1000), "site": chance.choice(["甲", "乙"], 1000), "failed": np.arange(1000)}
    )


def vault_at(url: str, folder: Path) -> Vault:
    store = Store.open(url, LogKey(Ed25519PrivateKey.generate()))
    return Vault(
        store.as_actor(actor("base", Role.OPERATOR)), BlobStore(str(folder / "blobs")), KeyFolder(folder / "keys")
    )


@pytest.fixture
def any_vault(every_url: str, tmp_path: Path) -> Iterator[Vault]:
    vault = vault_at(every_url, tmp_path)
    yield vault
    vault.view.store.close()


@pytest.fixture
def vault(empty_url: str, tmp_path: Path) -> Iterator[Vault]:
    opened = vault_at(empty_url, tmp_path)
    yield opened
    opened.view.store.close()


@pytest.fixture
def sealed(vault: Vault, rows: pl.DataFrame) -> HiddenSet:
    return seal(vault, rows, SealTerms(SCENARIO, "plant", alpha=0.05, attempts=5, chunk_rows=300))
