"""Any history of attempts, and a kill before any statement of one, keep the budget's promises."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.vault import attempts as budget
from pilotbase.vault.attempts import AttemptRequest, AttemptState
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import SealTerms, seal
from pilotbase.workspace import schema
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.engine import Database
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.log.offline import verify_log
from pilotbase.workspace.store import Store

ROWS, ATTEMPTS, ALPHA = 60, 6, 0.05
NAMES = st.sampled_from("abcdefgh")
LIVE = (AttemptState.OPEN, AttemptState.DELIVERED, AttemptState.COMMITTED)
SPENT = (AttemptState.DELIVERED, AttemptState.COMMITTED, AttemptState.CLOSED, AttemptState.CANCELLED)


class Histories(RuleBasedStateMachine):
    """Suppliers a … h do anything in any order; what is refused changes nothing."""

    @initialize()
    def seal_a_set(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        database = Database(f"sqlite:///{folder / 'pilotbase.db'}")
        schema.upgrade(database)
        database.close()
        store = Store.open(database.url, LogKey(Ed25519PrivateKey.generate()))
        view = store.as_actor(actor("base", Role.OPERATOR))
        self.vault = Vault(view, BlobStore(str(folder / "blobs")), KeyFolder(folder / "keys"))
        frame = pl.DataFrame({"x": range(ROWS)})
        self.set = seal(self.vault, frame, SealTerms(digest_bytes(b"s"), "plant", ALPHA, ATTEMPTS))
        self.held: dict[str, budget.VaultAttempt] = {}
        self.scored: dict[int, set[int]] = {}

    def teardown(self) -> None:
        self.vault.view.store.close()
        self.folder.cleanup()

    @rule(name=NAMES, cases=st.integers(1, 25))
    def open(self, name: str, cases: int) -> None:
        plan = digest_bytes(name.encode())
        try:
            attempt = budget.open_attempt(self.vault, self.set, AttemptRequest(plan, plan, plan[7:39], cases))
        except RefusedError as refusal:
            left = budget.remaining(self.vault, self.set)
            assert left.attempts == 0 if refusal.code == "vault.no_attempts" else left.fresh < cases
            return
        if name in self.held and self.held[name].identity == attempt.identity:
            assert attempt.cases.tolist() == self.held[name].cases.tolist()
        self.held[name] = attempt

    @rule(name=NAMES, step=st.sampled_from(["deliver", "commit", "score", "close", "cancel"]), share=st.integers(0, 9))
    def act(self, name: str, step: str, share: int) -> None:
        if name not in self.held:
            return
        attempt = self.held[name]
        some = attempt.cases[:: share + 1]
        try:
            match step:
                case "deliver":
                    budget.mark_delivered(self.vault, attempt)
                case "commit":
                    budget.commit_answers(self.vault, attempt, attempt.plan)
                case "score":
                    budget.mark_scored(self.vault, attempt, some)
                    self.scored.setdefault(attempt.identity, set()).update(some.tolist())
                case "close":
                    budget.close_attempt(self.vault, attempt)
                case "cancel":
                    budget.cancel_attempt(self.vault, attempt)
        except RefusedError as refusal:
            assert refusal.code == "vault.wrong_state"

    @invariant()
    def no_case_is_scored_by_two(self) -> None:
        everything = [case for cases in self.scored.values() for case in cases]
        assert len(everything) == len(set(everything))
        assert budget.remaining(self.vault, self.set).scored == len(everything)

    @invariant()
    def alphas_spent_stay_within_alpha_and_numbers_are_held_once(self) -> None:
        attempts = budget.attempts_of(self.vault, self.set)
        assert sum(attempt.alpha for attempt in attempts if attempt.state in SPENT) <= ALPHA
        numbers = [attempt.number for attempt in attempts if attempt.state != AttemptState.RETURNED]
        assert len(numbers) == len(set(numbers)) <= ATTEMPTS

    @invariant()
    def reserved_cases_are_nobody_elses(self) -> None:
        live = [a for a in budget.attempts_of(self.vault, self.set) if a.state in LIVE]
        reserved = np.concatenate([np.zeros(0, dtype=np.int64), *(attempt.cases for attempt in live)]).tolist()
        assert len(reserved) == len(set(reserved))
        for identity, cases in self.scored.items():
            others = [attempt.cases for attempt in live if attempt.identity != identity]
            assert cases.isdisjoint(np.concatenate([np.zeros(0, dtype=np.int64), *others]).tolist())

    @invariant()
    def the_account_adds_up(self) -> None:
        left = budget.remaining(self.vault, self.set)
        assert left.fresh + left.reserved + left.scored == ROWS
        assert left.fresh >= 0


Histories.TestCase.settings = settings(max_examples=4, stateful_step_count=30, deadline=None)
TestHistories = Histories.TestCase

KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pilotbase.documents.hashes import digest_bytes
from pilotbase.vault import attempts as budget
from pilotbase.vault.sealing import HiddenSet
from pilotbase.vault.place import Vault
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
url, folder, digest = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
key = LogKey(load_pem_private_key((folder / "log.pem").read_bytes(), None))

def opened():
    view = Store.open(url, key).as_actor(actor("base", Role.OPERATOR))
    return Vault(view, BlobStore(str(folder / "blobs")), KeyFolder(folder / "keys"))

def trial(vault, step):
    hidden_set = vault.view.load(digest, HiddenSet)
    plan = digest_bytes(str(step).encode())
    attempt = budget.open_attempt(vault, hidden_set, budget.AttemptRequest(plan, plan, plan[7:39], 30))
    if attempt.state == "open":
        budget.mark_delivered(vault, attempt)
    if attempt.state in ("open", "delivered"):
        budget.commit_answers(vault, attempt, plan)
    if attempt.state != "closed":
        budget.reveal_order(vault, hidden_set, attempt)
        budget.mark_scored(vault, attempt, attempt.cases[:5])
        budget.close_attempt(vault, attempt)
    vault.view.store.close()

for done, step in enumerate(itertools.count()):
    child = os.fork()
    if child == 0:
        steps = itertools.count()
        def die(*_):
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)
        event.listen(Engine, "before_cursor_execute", die)
        event.listen(Engine, "commit", die)
        trial(opened(), step)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    trial(opened(), step)
    vault = opened()
    left = budget.remaining(vault, vault.view.load(digest, HiddenSet))
    assert left.scored == 5 * (done + 1) and left.reserved == 25 * (done + 1), left
    assert left.next_number == done + 2, left
    vault.view.store.close()
    if status == 0:
        break
print(step, done)
"""


@pytest.mark.prove
def test_an_attempt_killed_at_any_statement_goes_on_as_the_same_attempt(
    tmp_path: Path, any_vault: Vault, every_url: str
) -> None:
    key = any_vault.view.store.key
    (tmp_path / "log.pem").write_bytes(key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    hidden_set = seal(any_vault, pl.DataFrame({"x": range(20_000)}), SealTerms(digest_bytes(b"s"), "plant", 0.05, 500))
    command = [sys.executable, "-W", "error", "-c", KILLED, every_url, str(tmp_path), hidden_set.digest()]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert ended.returncode == 0, ended.stderr
    steps, done = map(int, ended.stdout.split())
    assert steps > 40
    attempts = budget.attempts_of(any_vault, hidden_set)
    assert [attempt.number for attempt in attempts] == list(range(1, done + 2))
    verify_log(any_vault.view.store.log_copy(), key.verifier)
