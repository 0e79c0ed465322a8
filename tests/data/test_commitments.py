"""Commitments to closed files: no guess is confirmed, what was published can be shown."""

import hashlib
import hmac

import pytest

from pilotbase.data.commitments import commitment, committed, owners_secret, publishable, salt_file, salt_of
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError

GUESS = hashlib.sha256(b"age,finding\n54,disease\n").hexdigest()


def dataset(opening="compute_to_data"):
    files = [{"kind": "file", "id": name, "sha256": GUESS} for name in ("cases.csv", "copy.csv")]
    return Dataset(name="x", title="x", owner={"organisation": "plant"}, opening=opening, distribution=files)


def test_a_closed_file_shows_no_hash_and_equal_files_do_not_look_equal():
    published = committed(dataset(), b"s" * 32)
    assert GUESS not in published.canonical().decode()
    first, second = (one.commitment for one in published.distribution)
    assert first != second, "whoever sees both would learn that they are the same"
    assert committed(dataset(), b"t" * 32).distribution[0].commitment != first


def test_whoever_is_shown_file_and_salt_can_check_it():
    published = committed(dataset(), b"s" * 32).distribution[0].commitment
    salt = salt_of("cases.csv", b"s" * 32)
    assert published == "sha256:" + hmac.new(salt, bytes.fromhex(GUESS), hashlib.sha256).hexdigest()
    assert commitment(hashlib.sha256(b"other").hexdigest(), salt) != published


def test_what_may_be_taken_keeps_its_hash(tmp_path):
    for opening in ("open", "on_terms"):
        assert publishable(dataset(opening), tmp_path / "dataset.yaml") == dataset(opening)
    assert list(tmp_path.iterdir()) == []


def test_the_secret_is_made_once_and_nobody_else_reads_it(tmp_path):
    description = tmp_path / "dataset.yaml"
    first = publishable(dataset(), description)
    assert publishable(dataset(), description) == first
    assert salt_file(description).stat().st_mode & 0o077 == 0
    assert len(owners_secret(description)) == 32
    salt_file(description).write_text("lost\n")
    with pytest.raises(InputError) as caught:
        publishable(dataset(), description)
    assert caught.value.code == "data.bad_salt"
