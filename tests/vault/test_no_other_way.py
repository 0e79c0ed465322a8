"""No way to a closed value goes round the gate: who decrypts, who makes a leave, who reads, is named here.

A module that comes to do one of these fails the test until it stands in the list, with the reason why it may.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from pilotbase.documents.terms import AccessGrant
from pilotbase.vault import board, envelopes, opening, uploads
from tests.packages_for_tests import files

SOURCE = Path(opening.__file__).parents[1]

DECRYPTS = {
    "decrypt_chunk": {"vault/opening.py"},
    "open_bytes": {
        "vault/ciphers.py",
        "vault/envelopes.py",  # and the public sample of a dataset: `read_public_sample` alone asks for it
        "vault/uploads.py",
        "vault/units.py",  # which cases form a unit: their places alone, and no value
        "vault/dataset_files.py",  # files of a dataset, under a counted leave held against the terms with each piece
        "worker/retention_dates.py",  # bytes kept for somebody under a key of the home (`unseal`)
        "computing/what_if.py",  # figures of a what-if under a key of the home: of jobs, and no data
    },
    "unseal": {
        "worker/retention_dates.py",
        "worker/datasets/label_rounds.py",  # items of a round, under a key of the home, once more past the gate
        "worker/sites/orders.py",  # a pack for a site, under a key of the home: application and terms, and no data
        "worker/trials/calls.py",  # claims and scores of a call, under a key of the home: no data
        "worker/sample_bundles/orders.py",  # a bundle packed for a person, under a key of the home
    },
    "unwrap_secrets": {"vault/sealing.py"},
    "open_sample": {"vault/envelopes.py", "trial/sealed.py"},
    "rows_shown": {  # calls `read_public_sample`
        "trial/sealing.py",  # whether a case was shown before; the newest version of its data
    },
    "read_public_sample": {  # rows of a dataset, if a closed one: no function here gives them out
        "trial/sealed.py",
        "trial/conforming.py",  # shown to who may hold the rows, else withheld
        "trial/perturbed_arms.py",
        "worker/trials/canary_rounds.py",  # questions that an endpoint is asked again, where cases may leave
        "trial/phases/opening.py",  # held against the hidden cases
        "trial/phases/reserving.py",  # what probes ask, in boxes of their own
        "trial/phases/reporting.py",  # what the next attempt could still decide
        "trial/freezing.py",
        "trial/sealing.py",  # held against new cases of the same owner
        "worker/trials/hidden_budgets.py",
        "worker/trials/kits.py",  # packed for everyone, and refused where a dataset is not open
        "watch/arming.py",  # makes the profile that a watch compares with
        "watch/replaying.py",  # shown to its detectors, where a service has no history yet
    },
    "data_key": {"vault/ciphers.py", "vault/opening.py", "vault/sealing.py"},
}
"""What turns kept bytes into values → the modules that may name it."""

LEAVES = {
    "Leave": {"documents/terms.py", "data/terms/gate.py"},
    "of_owner": {
        "documents/terms.py",
        "vault/opening.py",
        "vault/envelopes.py",  # the secret of an owner's commitments: no data
        "vault/carrying.py",  # what was scored stays scored: an owner's earlier sets are held against its new one
        "trial/sealed.py",  # the public sample, for the functions that `read_public_sample` lists
        "trial/sealing.py",  # the same, where the next version is made of cases that stand in none
        "trial/phases/panel.py",  # answers that experts judge, in a round of the data's owner
        "trial/tender.py",  # cases of a tender, whose kept answers are decided once more by the base itself
        "trial/freezing.py",  # hidden cases sealed before blind baselines were scored, once, for that
        "worker/trials/folder.py",  # the records of a trial, for the owner of its data
        "worker/sample_bundles/packing.py",  # the same, for whom `ReadScope.BUNDLE` names; the taker is logged first
        "worker/intake/kept_files.py",  # the files of a scenario that its owner has handed in
        "worker/intake/versions.py",  # what an organisation has handed in itself
        "worker/operations/pools.py",  # the same, a program for a pool
        "worker/worlds.py",  # the same, a world whose gates a box tries
        "computing/claims.py",  # the same, evidence of a claim, for its claimant and the auditor
        "worker/datasets/keeping.py",  # the same, to be kept as a file of its dataset
        "worker/datasets/label_rounds.py",  # a round of answers, which stand in no dataset: no request, no terms
        "worker/datasets/describing.py",  # the same, to be described in a box
        "worker/datasets/labelling.py",  # the same, an export of labels read in a box
        "worker/datasets/owner_jobs.py",  # what a box has found of an owner's files, for that owner
        "hub/forms/files.py",
        "hub/pages/demands.py",  # words of a demand, for who wrote them
    },
    "permit": {
        "data/terms/gate.py",
        "trial/entering.py",
        "data/private/releasing.py",
        "worker/datasets/keeping.py",  # files of a dataset, taken or previewed
        "worker/datasets/label_rounds.py",  # items of a labelling round, one use a labeller, asked at each showing
        "worker/datasets/owner_jobs.py",  # the same, looked at in a box by their owner's job
    },
}
"""What makes a leave → the modules that may call it."""

READERS: dict[Callable[..., object], str] = {
    opening.open_hidden: "grant",
    envelopes.open_envelope: "grant",
    envelopes.open_sample: "grant",
    uploads.read_upload: "grant",
    board.slice_cases: "grant",
}


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules that hold one of the words that are asked for."""
    for file, path in files("*.py"):
        source = path.read_text("utf-8")
        if any(word in source for word in (*DECRYPTS, *LEAVES)):
            yield file, ast.parse(source)


class Words(NamedTuple):
    """What a module names (names, attributes, imports, and constants), and what it calls."""

    named: frozenset[object]
    called: frozenset[object]


@cache
def words() -> dict[str, Words]:
    """Module → its words."""
    found: dict[str, Words] = {}
    for file, tree in trees():
        nodes = list(ast.walk(tree))
        functions = [node.func for node in nodes if isinstance(node, ast.Call)]
        called = {getattr(function, "id", getattr(function, "attr", None)) for function in functions}
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        imports = {one for node in nodes if isinstance(node, ast.alias) for one in (node.name, node.asname)}
        constants = {node.value for node in nodes if isinstance(node, ast.Constant)}
        found[file] = Words(frozenset(names | attributes | imports | constants), frozenset(called))
    return found


def naming(word: str) -> set[str]:
    """The modules that name ``word``: as a name, an attribute, an import, or a text."""
    return {file for file, those in words().items() if word in those.named}


def calling(word: str) -> set[str]:
    """The modules that call ``word``, as a function or a method."""
    return {file for file, those in words().items() if word in those.called}


@pytest.mark.parametrize("word", DECRYPTS)
def test_only_the_vaults_readers_decrypt(word: str) -> None:
    assert naming(word) <= DECRYPTS[word]


@pytest.mark.parametrize("word", LEAVES)
def test_only_the_gate_makes_leaves_and_an_owners_own_are_named(word: str) -> None:
    assert calling(word) <= LEAVES[word]


def test_every_reader_of_closed_values_asks_for_a_grant_and_a_grant_for_a_leave() -> None:
    for reader, name in READERS.items():
        parameter = inspect.signature(reader).parameters[name]
        assert parameter.default is inspect.Parameter.empty, reader.__name__
        assert parameter.annotation in ("ReaderGrant", AccessGrant.__name__), reader.__name__
    field = opening.ReaderGrant.__dataclass_fields__["leave"]
    assert field.type == AccessGrant.__name__
    with pytest.raises(TypeError):
        opening.ReaderGrant(opening.OpeningPurpose.TRIAL)  # type: ignore[call-arg]


def test_every_function_that_opens_a_hidden_chunk_or_an_envelope_is_a_reader() -> None:
    """A function of the vault that calls a reader, or a decryption, takes a grant itself, or is listed."""
    known = {reader.__name__ for reader in READERS} | {"unwrap_secrets", "secrets_of", "_frames", "_decrypt", "_pieces"}
    known |= {"unit_of_each"}  # which cases form a unit: under a key of the set, and no value
    known |= {"_rows"}  # carrying: under the owner's own leave
    known |= {"_opened"}  # dataset_files: of `open_file` and `open_preview`, which ask for a leave
    opened = {"open_hidden", "open_envelope", "decrypt_chunk", "open_bytes", "slice_cases"}
    for path in sorted(SOURCE.joinpath("vault").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef) or node.name in known:
                continue
            calls = {getattr(one.func, "id", None) for one in ast.walk(node) if isinstance(one, ast.Call)}
            takes = {argument.arg for argument in node.args.args}
            assert not calls & opened or takes & {"grant", "leave"}, f"{path.name}: {node.name}"
