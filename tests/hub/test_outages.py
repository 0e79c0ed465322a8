"""The machine under the hub fails: what people are told, what stands, and what a request sent again finds."""

import errno
import json

import pytest
from test_api import APPEAL, KEYED, caller

from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import UnreachableError


@pytest.fixture(scope="module")
def walked(any_world):
    any_world.trial.reach("certified")
    return any_world


def steps(world) -> int:
    return len(world.trial.record().history)


def test_a_request_whose_answer_was_lost_is_not_done_twice(walked):
    """The process died between the step and its answer: the step stands in the store, the key in no table."""
    from pilotbase.hub.models import GivenAnswer

    supplier, body = caller(walked, "supplier"), {"grounds": "Labels were wrong."}
    first = supplier.post(APPEAL, body, **KEYED)
    assert first.status_code == 200, first.content
    before = steps(walked)
    GivenAnswer.objects.all().delete()
    again = supplier.post(APPEAL, body, **KEYED)
    assert (again.status_code, json.loads(again.content)["appeals"]) == (200, first.json()["appeals"])
    assert steps(walked) == before
    other = supplier.post(APPEAL, body, **{**KEYED, "HTTP_IDEMPOTENCY_KEY": "k2"})
    assert (other.status_code, steps(walked)) == (200, before + 1)


def test_a_proposal_whose_answer_was_lost_is_one_commission(walked):
    from pilotbase.hub.models import GivenAnswer

    supplier = caller(walked, "supplier")
    terms = json.loads(supplier.get("/api/trials/c1").content)
    key = {**KEYED, "HTTP_IDEMPOTENCY_KEY": "proposal"}
    first = supplier.post("/api/trials", terms, **key)
    GivenAnswer.objects.all().delete()
    again = supplier.post("/api/trials", terms, **key)
    assert {first.status_code, again.status_code} == {201}
    assert first["Location"] == again["Location"]


def test_a_key_whose_step_was_refused_can_be_used_again(walked):
    supplier = caller(walked, "supplier")
    key = {**KEYED, "HTTP_IDEMPOTENCY_KEY": "refused"}
    stale = supplier.post(APPEAL, {"grounds": "x"}, **key, HTTP_IF_MATCH=f'"sha256:{"0" * 64}"')
    assert stale.status_code >= 400
    assert supplier.post(APPEAL, {"grounds": "x"}, **key).status_code == 200


def test_where_files_are_kept_is_away_is_told_without_our_addresses():
    from pilotbase.hub.problems import outage

    told = outage(UnreachableError("blobs.unreachable", address="bucket/base", reason="no answer from 10.0.0.7"))
    assert told is not None and told.code == "hub.blobs_away"
    for language in ("en", "zh"):
        said = told.render(language)
        assert "bucket" not in said and "10.0.0.7" not in said


@pytest.fixture
def full_disk(walked, monkeypatch):
    """Let every write of the store meet a full disk, as the database of this world says it."""
    import sqlite3

    from sqlalchemy import event
    from sqlalchemy.exc import OperationalError

    from pilotbase.hub.base import base

    engine = base().lab.store.database._engine

    class FullError(Exception):
        sqlstate = "53100"

    def refuse(connection, cursor, statement, parameters, context, many):
        if statement.startswith(("INSERT INTO listings", "UPDATE listings", "DELETE FROM waits")):
            reason: Exception = FullError("No space left on device")
            if connection.dialect.name == "sqlite":
                reason = sqlite3.OperationalError("database or disk is full")
                reason.sqlite_errorname = "SQLITE_FULL"
            raise OperationalError(statement, parameters, reason)

    event.listen(engine, "before_cursor_execute", refuse)
    yield
    event.remove(engine, "before_cursor_execute", refuse)


def test_a_submission_on_a_full_disk_is_refused_and_nothing_is_half_written(walked, full_disk):
    before, supplier = steps(walked), caller(walked, "supplier")
    found = supplier.post(APPEAL, {"grounds": "x"}, **{**KEYED, "HTTP_IDEMPOTENCY_KEY": "full"})
    told = json.loads(found.content)
    assert (found.status_code, told["code"], found["Content-Type"]) == (
        507,
        "hub.disk_full",
        "application/problem+json",
    )
    assert str(walked.trial.store.database.place) not in found.content.decode()
    chinese = supplier.post(
        APPEAL, {"grounds": "x"}, **KEYED | {"HTTP_IDEMPOTENCY_KEY": "z"}, HTTP_ACCEPT_LANGUAGE="zh"
    )
    assert "空间不足" in json.loads(chinese.content)["title"]
    assert steps(walked) == before
    verify_store(walked.trial.store)


def test_after_the_disk_was_freed_the_same_request_goes_through(walked):
    before = steps(walked)
    found = caller(walked, "supplier").post(APPEAL, {"grounds": "x"}, **{**KEYED, "HTTP_IDEMPOTENCY_KEY": "full"})
    assert (found.status_code, steps(walked)) == (200, before + 1)


def test_an_upload_that_finds_no_space_is_refused_with_a_page(walked, monkeypatch):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from pilotbase.hub.pages import uploads

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/place")

    monkeypatch.setattr(uploads, "opened_table", full)
    monkeypatch.setattr(uploads, "take_drafted", full)
    browser = walked.client("owner", raise_request_exception=False)
    file = SimpleUploadedFile("cases.csv", b"a,b\n1,2\n")
    answers = {"problem": "x", "target": "b", "cost_of_miss": "10", "cost_of_false_alarm": "1", "contact": "x"}
    page = browser.post("/scenarios/new/", {"cases": file, **answers})
    assert page.status_code == 507, page.content
    assert "run out of disk space" in page.content.decode() and "/secret" not in page.content.decode()


def test_while_the_database_is_away_pages_and_api_say_so(walked, monkeypatch):
    from django.db import OperationalError, connection

    def away(*_, **__):
        raise OperationalError("connection to server at 10.0.0.7 failed")

    supplier = caller(walked, "supplier")
    supplier.raise_request_exception = False
    browser = walked.client("supplier", raise_request_exception=False)
    monkeypatch.setattr(type(connection.features.connection), "cursor", away)
    page = browser.get("/work/", HTTP_ACCEPT_LANGUAGE="zh")
    answer = supplier.get("/api/me")
    for found in (page, answer):
        assert (found.status_code, found["Retry-After"]) == (503, "5"), found.content
        assert "10.0.0.7" not in found.content.decode()
    assert "暂时无法连接数据库" in page.content.decode()
    assert answer.json()["code"] == "hub.database_away"
