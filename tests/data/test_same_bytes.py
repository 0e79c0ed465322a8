"""A file is held against the hash, or the commitment, that its description gives it."""

import pytest

from pilotbase.data.commitments import committed, require_same_bytes
from pilotbase.documents.dataset import Dataset, FileObject
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_bytes, hex_of
from pilotbase.documents.scenario import Contact
from pilotbase.documents.vocabularies import Opening

SECRET, OTHER_SECRET = b"s" * 32, b"t" * 32
RIGHT, WRONG = digest_bytes(b"1,2\n"), digest_bytes(b"1,3\n")


def described(opening: Opening, **changes) -> Dataset:
    file = FileObject(id="cases", contentUrl="data/cases.csv", sha256=hex_of(RIGHT)).model_copy(update=changes)
    return Dataset(
        name="logs", title="Logs", owner=Contact(organisation="plant"), opening=opening, distribution=(file,)
    )


def refused(dataset: Dataset, digest: str, secret: bytes | None = None) -> bool:
    try:
        require_same_bytes(dataset, "cases.csv", digest, secret)
    except InputError as error:
        assert error.code == "dataset.other_bytes"
        return True
    return False


@pytest.mark.parametrize("digest", [RIGHT, WRONG])
def test_a_hash_and_a_commitment_under_its_salt_tell_other_bytes(digest):
    open_data = described(Opening.OPEN)
    closed = committed(described(Opening.COMPUTE_TO_DATA), SECRET)
    assert refused(open_data, digest) is refused(closed, digest, SECRET) is (digest == WRONG)
    assert refused(closed, digest, OTHER_SECRET)


def test_what_cannot_be_held_against_anything_is_not_refused():
    assert not refused(described(Opening.OPEN, sha256=None), WRONG)
    assert not refused(committed(described(Opening.COMPUTE_TO_DATA), SECRET), WRONG)
