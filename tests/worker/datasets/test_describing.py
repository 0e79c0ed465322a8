"""Files that were sent are described in a box, asked about, answered, and saved as a draft dataset."""

import gzip
import io
import zipfile

import pytest

from pilotbase.documents.dataset import Dataset
from pilotbase.documents.described import Answers
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import Act
from pilotbase.documents.states import DatasetState
from pilotbase.vault.uploads import list_uploads
from pilotbase.worker.base import vault_of
from pilotbase.worker.datasets.describing import (
    answer_describing,
    describings,
    find_describing,
    forget_describing,
    save_described,
    start_describing,
)
from pilotbase.worker.datasets.keeping import own_files, preview_of
from pilotbase.workspace.failures import ConflictError, NotFoundError
from tests.catalogue.agreements_for_tests import DATASET, dataset
from tests.catalogue.records_for_tests import OTHER_OWNER, OWNER, SUPPLIER
from tests.worker.commissions_for_tests import Ordered
from tests.worker.datasets.describing_for_tests import PUMPS, sent, work


def view(base, who=OWNER):
    return base.lab.store.as_actor(who)


def described(base, name, content, answers=None):
    begun = start_describing(base, view(base), [sent(base, view(base), name, content)], answers or Answers())
    assert work(base) == ["describe done"]
    return find_describing(base, view(base), begun.order.identity)


def test_files_become_a_draft_with_grounds_questions_and_what_is_missing(base):
    found = described(base, "pumps.csv", PUMPS.encode()).result
    guessed = {(one.place, one.part): (one.value, one.sure) for one in found.guesses}
    assert guessed["pumps.temp_c", "unit"] == ("Cel", "likely")
    assert guessed["pumps", "key"] == ("run_id", "likely")
    assert found.dataset.owner.organisation == "plant", "whoever sends the files owns them, whatever is answered"
    assert {"label", "title", "license"} <= {one.answer for one in found.questions}
    assert "license" in found.missing and found.dataset.record_sets[0].rows == 60


@pytest.mark.prove
def test_answers_replace_guesses_until_the_draft_is_saved_with_its_files(base):
    identity = described(base, "pumps.csv", PUMPS.encode()).order.identity
    said = Answers(title="Pumps", label="state", opening="on_terms", organisation="acme", units={"temp_c": "K"})
    said = said.model_copy(update={"license": "proprietary"})
    with pytest.raises(ConflictError):
        answer_describing(base, view(base), identity, said)
        save_described(base, view(base), identity, usual_terms=True, keep=True)
    assert work(base) == ["describe done"]
    (under_way,) = describings(view(base))
    assert (under_way.identity, under_way.round) == (identity, 2)
    missing = find_describing(base, view(base), identity).result.missing
    assert "license" in missing and "usageInfo" not in missing, "what publishing would refuse, each once"
    record = save_described(base, view(base), identity, usual_terms=True, keep=True)
    dataset = view(base).load(record.documents["dataset"], Dataset)
    assert (record.subject, record.state) == ("dataset:plant/pumps", DatasetState.DRAFT)
    assert [field.name for field in dataset.record_sets[0].labels] == ["state"]
    assert dataset.record_sets[0].field("temp_c").unit == "K"
    assert dataset.usage is not None and dataset.usage.assigner == "plant"
    assert list_uploads(vault_of(base, view(base))) == [], "the files are the dataset's now"
    assert work(base) == ["first_rows done"]
    (kept,) = own_files(base, view(base), record.subject)
    assert (kept.name, kept.rows, kept.previewed, kept.newest) == ("pumps.csv", 60, True, True)
    assert preview_of(base, view(base), record.subject).cells[0] == ["r0", "20.5", "failed"]
    with pytest.raises(NotFoundError):
        find_describing(base, view(base), identity)


def bomb() -> bytes:
    """Packed where it is thrown: it takes long."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pumps.csv", b"a,b\n" + b"0,0\n" * (17 << 20))
    return packed.getvalue()


HOSTILE = {
    "torn.csv": (b'a,b\n1,2\n3\n4,"5\n', "torn.csv", {3, 4}),
    "pumps.parquet": (b"PAR1" + b"\x00" * 400 + b"PAR1", "pumps.parquet", {None}),
    "pumps.zip": (bomb, "pumps.zip", {None}),
    "pumps.csv.gz": (gzip.compress(b"a,b\n1,2\n")[:-9], "pumps.csv.gz", {None}),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.prove) for name in HOSTILE])
def test_a_hostile_file_is_refused_with_its_place_and_what_to_do(base, name):
    content, file, lines = HOSTILE[name]
    found = described(base, name, content() if callable(content) else content)
    assert found.result is None and found.refusal is not None
    assert {(one.file, one.line) for one in found.refusal.issues} == {(file, line) for line in lines}
    assert all(one.hint is not None and str(base.home.path) not in one.render() for one in found.refusal.issues)
    with pytest.raises(ConflictError):
        save_described(base, view(base), found.order.identity, usual_terms=False, keep=False)


def test_others_see_nothing_of_it_and_what_is_given_up_is_gone(base):
    found = start_describing(base, view(base), [sent(base, view(base), "pumps.csv", PUMPS.encode())], Answers())
    identity = found.order.identity
    for who in (OTHER_OWNER, SUPPLIER):
        assert list(describings(view(base, who))) == []
        for act in (find_describing, forget_describing):
            with pytest.raises(NotFoundError):
                act(base, view(base, who), identity)
        with pytest.raises(NotFoundError):
            start_describing(base, view(base, who), found.order.uploads, Answers())
    forget_describing(base, view(base), identity)
    assert list(describings(view(base))) == [] and list_uploads(vault_of(base, view(base))) == []
    with pytest.raises(NotFoundError):
        find_describing(base, view(base), identity)


def test_two_files_of_one_name_and_none_are_refused(base):
    one, other = (sent(base, view(base), "pumps.csv", text) for text in (b"a\n1\n", b"a\n2\n"))
    for uploads, code in (([one, other], "describe.double_file"), ([], "describe.number_of_files")):
        with pytest.raises(InputError) as error:
            start_describing(base, view(base), uploads, Answers())
        assert error.value.code == code


def test_changed_files_keep_the_words_of_the_description_and_raise_the_version(base):
    ordered, what = Ordered(base), dataset(opening="on_terms")
    ordered.do(OWNER, Act.DATASET_REGISTER, what, subject=DATASET)
    ordered.do(OWNER, Act.DATASET_PUBLISH, subject=DATASET)
    upload = sent(base, view(base), "logs.csv", b"torque,grade\n" + b"1.5,a\n2.5,b\n" * 30)
    for who, refused in ((OTHER_OWNER, NotFoundError), (OWNER, None)):
        if refused is not None:
            with pytest.raises(refused):
                start_describing(base, view(base, who), [upload], Answers(), DATASET)
            continue
        begun = start_describing(base, view(base, who), [upload], Answers(), DATASET)
    assert work(base) == ["describe done"]
    found = find_describing(base, view(base), begun.order.identity).result
    assert (found.dataset.title, found.dataset.version) == (what.title, "2.0.0") and found.changed
    record = save_described(base, view(base), begun.order.identity, usual_terms=True, keep=False)
    assert (record.subject, record.state) == (DATASET, DatasetState.PUBLISHED)
    made = view(base).load(record.documents["dataset"], Dataset)
    assert (made.usage, made.creator) == (what.usage, what.creator), "what stands there and was not asked is kept"
