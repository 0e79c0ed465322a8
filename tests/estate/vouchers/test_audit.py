"""The auditor's folder: what was exported holds, and not one line of it can be altered unseen."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from vouchers_for_tests import HOUR, Books, codes, payment

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.log.notes import LogKey
from pilotbase_estate.documents.voucher import Settlement
from pilotbase_estate.vouchers import ledger, settling
from pilotbase_estate.vouchers.auditing import audit
from pilotbase_estate.vouchers.exporting import (
    DOCUMENTS,
    LEDGER,
    LOG,
    MANIFEST,
    export_programme,
    format_ledger,
    format_manifest,
    ledger_of,
    read_ledger,
    tables_of,
)

MOVES = 21


def lived_through(books: Books) -> None:
    """Let a programme see every step and every state."""
    voucher, revoked = books.issue(), books.issue("third", 2_000)
    for number in range(4):
        books.used(voucher, f"job:{number}")
        made = books.claim_of(f"job:{number}", payment=payment(evidence=digest_bytes(bytes([number]))))
        if number < 3:
            books.claim(made, {"acme": {"centre"}} if number == 2 else {})
        if number == 0:
            books.pay(made.digest())
            books.clock.step(1)
            books.claim(books.claim_of("job:0", payment=None))
    books.refund("job:3")
    books.hold(revoked, "job:released")
    books.release("job:released")
    books.hold(revoked, "job:lapsed")
    ledger.revoke(books.operator, revoked, "false declaration")
    books.clock.step(72 * HOUR)
    ledger.expire_due(books.operator)
    books.settle("job:lapsed")
    books.hold(voucher, "job:open")
    books.milestone(voucher)
    books.clock.step(89 * 24 * HOUR)


@pytest.fixture
def folder(here: Books, tmp_path: Path) -> Path:
    lived_through(here)
    exported = tmp_path / "evidence"
    assert export_programme(here.operator, "pilot", exported) == MOVES
    return exported


def altered(folder: Path, name: str, change: Callable[[bytes], bytes]) -> list[str]:
    """Return what is found of a copy in which a file is altered."""
    copy = folder.with_name("altered")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    (copy / name).write_bytes(change((copy / name).read_bytes()))
    found = audit(copy).problems
    assert all(problem.render("zh") != problem.render("en") for problem in found)
    return codes(found)


def test_what_was_exported_holds(folder: Path, here: Books) -> None:
    found = audit(folder)
    assert found.problems == ()
    assert (found.programme, found.moves, found.settlements, found.claims) == ("pilot", MOVES, 5, 4)
    assert found.key == str(here.store.key.verifier)
    assert audit(folder, found.key).problems == ()


def test_a_programme_exports_the_same_on_both_databases(books: Books, tmp_path: Path) -> None:
    lived_through(books)
    export_programme(books.operator, "pilot", tmp_path / "evidence")
    assert audit(tmp_path / "evidence").problems == ()


@pytest.mark.prove
def test_not_one_line_can_be_altered(folder: Path) -> None:
    """A digit, or a letter, of each line of each file in turn; of long files each of a few lines."""
    for path in sorted(folder.iterdir()):
        lines = path.read_bytes().splitlines(keepends=True)
        for place in {*range(min(len(lines), 6)), len(lines) - 1, len(lines) // 2}:
            line = lines[place]
            spot = next((at for at in range(len(line) // 2, len(line)) if line[at : at + 1].isalnum()), None)
            if spot is None:
                continue
            other = b"7" if line[spot : spot + 1] != b"7" else b"8"
            changed = b"".join([*lines[:place], line[:spot] + other + line[spot + 1 :], *lines[place + 1 :]])
            try:
                assert altered(folder, path.name, lambda _, changed=changed: changed), (path.name, place)
            except InputError:
                assert path.name == "log-key.txt"


@pytest.mark.prove
def test_not_one_line_can_be_taken_out_or_put_in(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.name != "log-key.txt":
            assert altered(folder, path.name, lambda content: b"".join(content.splitlines(keepends=True)[:-1]))
            assert altered(folder, path.name, lambda content: content + content.splitlines(keepends=True)[-1])
    (folder / "more.csv").write_bytes(b"x")
    assert codes(audit(folder).problems) == ["file", "file", "data"]


def forged(books: Books, folder: Path, change) -> list[str]:
    """Return what is found where somebody has altered the rows and written every digest of the folder anew."""
    copy = folder.with_name("forged")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    rows = change(json.loads((copy / LEDGER).read_bytes()))
    made = read_ledger(json.dumps(rows).encode())
    documents = [json.loads(line) for line in (copy / DOCUMENTS).read_bytes().splitlines()]
    settled = [Settlement.model_validate(one) for one in documents if one["document"] == "voucher-settlement/1"]
    for name, content in {LEDGER: format_ledger(made), **tables_of(made, settled)}.items():
        (copy / name).write_bytes(content)
    files = {path.name: path.read_bytes() for path in copy.iterdir()}
    (copy / MANIFEST).write_bytes(format_manifest("pilot", files))
    return codes(audit(copy).problems)


def test_who_writes_every_digest_anew_is_still_found_out(folder: Path, here: Books) -> None:
    def more(rows):
        rows["postings"][0]["amount"] += 1
        return rows

    def hidden(rows):
        gone = rows["moves"].pop()["transfer"]
        rows["postings"] = [one for one in rows["postings"] if one["transfer"] != gone]
        return rows

    def richer(rows):
        rows["accounts"][-1]["balance"] += 10
        return rows

    def granted(rows):
        refused = next(one for one in rows["claims"] if one["state"] == "refused")
        refused["state"] = "granted"
        return rows

    def cheaper(rows):
        rows["uses"][0]["subsidy"] -= 1
        return rows

    def larger(rows):
        rows["vouchers"][0]["amount"] += 1
        return rows

    def shifted(rows):
        """Move ten more from one account to the other, in the sums too: only the log knows better."""
        paid = [one for one in rows["postings"] if one["transfer"] == "voucher:pilot:claim:job:1:1"]
        for posting, more in zip(paid, (10, -10), strict=True):
            posting["amount"] += more
            for account in rows["accounts"]:
                account["balance"] += more if account["account"] == posting["account"] else 0
        return rows

    assert forged(here, folder, lambda rows: rows) == []
    expected = {
        more: "move",
        shifted: "move",
        hidden: "gap",
        richer: "account",
        granted: "claim",
        cheaper: "use",
        larger: "voucher",
    }
    for change, code in expected.items():
        found = forged(here, folder, change)
        assert "data" in found and code in found, change


def test_who_rewrites_the_log_too_lacks_its_signature(folder: Path) -> None:
    lines = (folder / LOG).read_bytes().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if rb"voucher.settle" in line)
    lines[place] = lines[place].replace(rb"\"amount\":840", rb"\"amount\":841").replace(b"420", b"421")
    (folder / LOG).write_bytes(b"".join(lines))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / MANIFEST).write_bytes(format_manifest("pilot", files))
    (found,) = audit(folder).problems
    assert found.code == "voucher.audit.line" and found.params == {"file": LOG, "line": place + 1}


def test_a_folder_signed_by_another_key_is_found_out(folder: Path) -> None:
    other = "pilotbase/0000000000000000+aaaaaaaa+AX5Z"
    with pytest.raises(InputError) as caught:
        audit(folder, other)
    assert caught.value.code == "log.bad_verifier"
    assert codes(audit(folder, str(LogKey(Ed25519PrivateKey.generate()).verifier)).problems) == ["unreadable"]


def test_a_settlement_against_its_rules_is_found_out(here: Books, tmp_path: Path, monkeypatch) -> None:
    """A base that pays one hundredth too much, and logs it well, does not pass."""
    true = settling.settlement_of

    def generous(*given):
        made = true(*given)
        return made.model_copy(update={"subsidy": made.subsidy + 1})

    voucher = here.issue()
    here.hold(voucher, seconds=2 * HOUR)
    here.clock.step(HOUR)
    monkeypatch.setattr(settling, "settlement_of", generous)
    here.settle()
    monkeypatch.undo()
    export_programme(here.operator, "pilot", tmp_path / "evidence")
    found = audit(tmp_path / "evidence").problems
    assert codes(found) == ["use"] and "attempt 1 of job:1" in found[0].render("en")


def test_a_row_changed_in_the_database_is_found_out(here: Books, tmp_path: Path) -> None:
    here.used(here.issue())
    with here.store.database.write() as connection:
        connection.execute(text("UPDATE postings SET amount = amount + 5 WHERE account LIKE '%/used'"))
    export_programme(here.operator, "pilot", tmp_path / "evidence")
    assert codes(audit(tmp_path / "evidence").problems)[0] == "move"


def test_operator_and_regulator_export_into_an_empty_folder(here: Books, tmp_path: Path) -> None:
    ministry = here.store.as_actor(actor("ministry", Role.REGULATOR))
    assert export_programme(ministry, "pilot", tmp_path / "one") == 0
    assert audit(tmp_path / "one").problems == ()
    with pytest.raises(RefusedError):
        export_programme(here.as_organisation("acme"), "pilot", tmp_path / "two")
    with pytest.raises(InputError) as caught:
        export_programme(ministry, "pilot", tmp_path / "one")
    assert caught.value.code == "voucher.folder_not_empty"
    with pytest.raises(InputError) as caught:
        audit(tmp_path)
    assert caught.value.code == "voucher.no_evidence"
    with here.store.database.read() as connection:
        assert ledger_of(connection, ministry, "pilot").moves == ()
    assert LOG in {path.name for path in (tmp_path / "one").iterdir()}
