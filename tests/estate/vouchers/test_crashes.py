"""Broken off at any statement of any step, vouchers are conserved, and the step taken again completes it."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from vouchers_for_tests import HOUR, RULES, Books, payment

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import digest_bytes
from pilotbase_estate.documents.voucher import VoucherClaim
from pilotbase_estate.vouchers import ledger
from pilotbase_estate.vouchers.wallet import set_rules
from tests.workspace.stores_for_tests import Clock

STEPS = ("issue", "hold", "settle", "release", "refund", "claim", "grant", "refuse", "pay", "expire", "revoke")
KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import Engine, event
for folder in sys.argv[3].split(":"):
    sys.path.insert(0, folder)
from stores_for_tests import Clock
from vouchers_for_tests import HOUR, RULES, Books
from pilotbase_estate.vouchers import ledger
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.log.offline import verify_log
from pilotbase.workspace.store import Store

url, key = sys.argv[1], LogKey(load_pem_private_key(Path(sys.argv[2]).read_bytes(), None))
clock = Clock()
rules = RULES.model_copy(update={"total": 10**9, "cap_year": 10**9})

def opened():
    return Books(Store.open(url, key, clock), clock, rules)

def killed_before(step, act):
    child = os.fork()
    if child == 0:
        steps = itertools.count()
        def die(*_):
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)
        event.listen(Engine, "before_cursor_execute", die)
        event.listen(Engine, "commit", die)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status != 0

rounds = itertools.count()
def tried(prepare, act):
    for step in itertools.count():
        books, job = opened(), f"job:{next(rounds)}"
        voucher = books.issue()
        prepare(books, voucher, job)
        sheet = books.finished(job)
        made = books.claim_of(job)
        books.store.close()
        died = killed_before(step, lambda: act(opened(), voucher, job, sheet, made))
        books = opened()
        books.require_balanced()
        act(books, voucher, job, sheet, made)
        books.require_balanced()
        books.store.close()
        if not died:
            break

def held(books, voucher, job):
    books.hold(voucher, job)

def used(books, voucher, job):
    held(books, voucher, job)
    books.settle(job)

def no_pay(made):
    return made.model_copy(update={"payment": made.payment.model_copy(update={"amount": 10**9})})

tried(lambda books, voucher, job: None, lambda books, voucher, job, *_: books.hold(voucher, job))
tried(held, lambda books, _, __, sheet, ___: books.settle_as(sheet))
tried(held, lambda books, _, job, *__: books.release(job))
tried(used, lambda books, _, job, *__: books.refund(job))
tried(used, lambda books, _, __, ___, made: books.claim(no_pay(made)))
tried(lambda books, voucher, job: None, lambda books, *_: books.issue())
rules = rules.model_copy(update={"reviewed_from": 0})
def claimed(books, voucher, job):
    used(books, voucher, job)
    books.claim(no_pay(books.claim_of(job)))
tried(claimed, lambda books, _, __, ___, made: books.decide(no_pay(made), True, "looked at"))
clock.step(100 * 24 * HOUR)
tried(lambda books, voucher, job: clock.step(100 * 24 * HOUR) if clock.now.month < 6 else None,
      lambda books, *_: ledger.expire_due(books.operator))
assert verify_log(opened().store.log_copy(), key.verifier).size
print(next(rounds))
"""


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 3), st.integers(0, 45)), min_size=3, max_size=10))
def test_vouchers_are_conserved_whatever_step_breaks_off_where(books: Books, steps) -> None:
    """Each step is broken off by an exception before its n-th statement, then taken again, whole."""
    course = Course(books)
    for step, job, breaks_at in steps:
        with suppress(PilotbaseError, BrokenOffError), broken_off(books, breaks_at):
            course.take(step, job)
        books.require_balanced()
        with suppress(PilotbaseError):
            course.take(step, job)
        books.require_balanced()
        books.clock.step(HOUR)


@pytest.mark.prove
def test_killed_before_any_statement_of_any_step_it_happened_wholly_or_not(any_url: str, log_key_file: Path) -> None:
    folders = f"{Path(__file__).parents[2] / 'workspace'}:{Path(__file__).parent}"
    command = [sys.executable, "-c", KILLED, any_url, str(log_key_file), folders]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 1


class BrokenOffError(Exception):
    """Comes before a statement."""


@contextmanager
def broken_off(books: Books, at: int) -> Iterator[None]:
    """Raise before the n-th statement within the block."""
    count = itertools.count()

    def break_off(*_: object) -> None:
        if next(count) == at:
            raise BrokenOffError

    event.listen(Engine, "before_cursor_execute", break_off)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", break_off)


class Course:
    """Steps of a few jobs, paid by the newest voucher."""

    runs = itertools.count()

    def __init__(self, books: Books) -> None:
        self.books, self.run = books, next(self.runs)
        books.clock.now = Clock().now
        set_rules(books.operator, RULES.model_copy(update={"reviewed_from": 200}))
        self.voucher = books.issue(amount=1000)
        self.claims: dict[str, VoucherClaim] = {}

    def take(self, step: str, number: int) -> None:
        books, job = self.books, f"job:{self.run}.{number}"
        if step == "issue":
            self.voucher = books.issue(amount=1000)
        elif step == "claim":
            made = books.claim_of(job, payment=payment(evidence=digest_bytes(job.encode())))
            self.claims[job] = made
            books.claim(made)
        elif step in ("grant", "refuse") and job in self.claims:
            books.decide(self.claims[job], step == "grant", "looked at")
        elif step == "pay" and job in self.claims:
            books.pay(self.claims[job].digest())
        elif step == "expire":
            books.clock.step(91 * 24 * HOUR if number == 3 else 73 * HOUR)
            ledger.expire_due(books.operator)
        elif step == "revoke":
            ledger.revoke(books.operator, self.voucher, "a test")
        elif step == "hold":
            books.hold(self.voucher, job)
        elif step in ("settle", "release", "refund"):
            getattr(books, step)(job)
