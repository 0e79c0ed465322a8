import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile

import pytest

from pilotbase.data import packages
from pilotbase.data.packages import PackageFile, fetch_package, open_member, read_packages
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError

WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that is pip's only source of packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def write_wheel(index, data=b"a,b\n1,2\n"):
    path = index / "plantdata-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plantdata/data/cases.csv", data)
        archive.writestr("plantdata-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: plantdata\nVersion: 1.0\n")
        archive.writestr("plantdata-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("plantdata-1.0.dist-info/RECORD", "")
    return path


def write_source(index, files):
    path = index / "oldplant-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {"PKG-INFO": "Metadata-Version: 1.0\nName: oldplant\nVersion: 1.0\n", **files}.items():
            info = tarfile.TarInfo(f"oldplant-1.0/{name}")
            info.size = len(content.encode())
            archive.addfile(info, io.BytesIO(content.encode()))
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_wheel_is_fetched_once_and_read_in_place(index, tmp_path):
    wheel = write_wheel(index)
    digest = sha256(wheel)
    fetched = fetch_package("plantdata", "1.0", digest, tmp_path / "cache")
    assert open_member(fetched, "plantdata/data/cases.csv") == b"a,b\n1,2\n"
    wheel.unlink()
    assert fetch_package("plantdata", "1.0", digest, tmp_path / "cache") == fetched
    fetched.write_bytes(b"spoilt")
    with pytest.raises(PilotbaseError) as caught:
        fetch_package("plantdata", "1.0", digest, tmp_path / "cache")
    assert caught.value.code == "data.package.not_fetched"
    assert caught.value.render("zh") != caught.value.render("en")


HOSTILE_SETUP = (
    "open({marker!r}, 'w').write('ran')\nfrom setuptools import setup\nsetup(name='oldplant', version='1.0')\n"
)
HOSTILE_BACKEND = (
    "open({marker!r}, 'w').write('ran')\n"
    "def prepare_metadata_for_build_wheel(folder, settings=None):\n    raise SystemExit(3)\n"
)
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "evil"\nbackend-path = ["."]\n'


@pytest.mark.prove
@pytest.mark.parametrize("kind", ["setup.py", "backend"])
def test_the_code_of_a_source_archive_never_runs(index, tmp_path, kind):
    marker = tmp_path / "marker"
    if kind == "setup.py":
        files = {"setup.py": HOSTILE_SETUP.format(marker=str(marker))}
    else:
        files = {"pyproject.toml": PROJECT, "evil.py": HOSTILE_BACKEND.format(marker=str(marker))}
    source = write_source(index, {**files, "oldplant/data/cases.csv": "a\n1\n"})
    fetched = fetch_package("oldplant", "1.0", sha256(source), tmp_path / "cache")
    assert not marker.exists()
    assert fetched.read_bytes() == source.read_bytes()
    assert open_member(fetched, "oldplant/data/cases.csv") == b"a\n1\n"
    assert open_member(fetched, "oldplant-1.0/oldplant/data/cases.csv") == b"a\n1\n"


def test_plain_pip_does_run_the_code_of_that_archive(index, tmp_path):
    """The control: without the shim the same archive runs, so the test above shows something."""
    marker = tmp_path / "marker"
    write_source(index, {"pyproject.toml": PROJECT, "evil.py": HOSTILE_BACKEND.format(marker=str(marker))})
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation", "oldplant"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert marker.exists()


@pytest.mark.prove
def test_another_file_under_the_same_name_is_refused(index, tmp_path):
    wheel = write_wheel(index)
    pinned = sha256(wheel)
    write_wheel(index, b"a,b\n6,6\n")
    with pytest.raises(InvalidProofError) as caught:
        fetch_package("plantdata", "1.0", pinned, tmp_path / "cache")
    assert pinned in caught.value.render()
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "version", "digest"),
    [
        ("--index-url", "1.0", "0" * 64),
        ("plantdata", "1.0 --pre", "0" * 64),
        ("plantdata", "1.0\nother==1", "0" * 64),
        ("plantdata @ file:///x", "1.0", "0" * 64),
        ("plantdata", "1.0", "0" * 63),
    ],
)
def test_nothing_but_a_pin_reaches_pip(tmp_path, name, version, digest):
    with pytest.raises(InputError):
        fetch_package(name, version, digest, tmp_path)


def test_a_lock_is_read_or_every_bad_line_named(tmp_path):
    lock = tmp_path / "packages.lock"
    lock.write_text(f"# data\n\nplantdata==1.0 --hash=sha256:{'0' * 64}  # wheel\n")
    assert read_packages(lock) == {"plantdata": PackageFile("plantdata", "1.0", "0" * 64)}
    lock.write_text("plantdata\n--index-url http://x\n# fine\n-e .\n")
    with pytest.raises(InputError) as caught:
        read_packages(lock)
    assert [issue.line for issue in caught.value.issues] == [1, 2, 4]
    with pytest.raises(InputError):
        read_packages(tmp_path / "none.lock")


def tar_of(path, *infos):
    with tarfile.open(path, "w") as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return path


def test_links_and_folders_in_an_archive_are_no_files(tmp_path):
    link, folder = tarfile.TarInfo("a/secret"), tarfile.TarInfo("a/folder")
    link.type, link.linkname, folder.type = tarfile.SYMTYPE, "/etc/passwd", tarfile.DIRTYPE
    archive = tar_of(tmp_path / "x.tar", link, folder, tarfile.TarInfo("a/file.csv"))
    for member in ("secret", "a/secret", "folder", "../etc/passwd", "/etc/passwd", ""):
        with pytest.raises(InputError) as caught:
            open_member(archive, member)
        assert caught.value.code == "data.archive.no_member"
        assert "a/file.csv" in caught.value.render()


def test_archives_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "_MAXIMUM_MEMBER", 1000)
    monkeypatch.setattr(packages, "_MAXIMUM_ARCHIVE", 5000)
    large, small = tarfile.TarInfo("a/large"), tarfile.TarInfo("a/small")
    large.size, small.size = 1001, 1000
    padding = [tarfile.TarInfo(f"a/{index}") for index in range(5)]
    for info in padding:
        info.size = 1000
    with zipfile.ZipFile(tmp_path / "x.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large", bytes(1001))
        archive.writestr("small", bytes(1000))
    assert len(open_member(tmp_path / "x.whl", "small")) == 1000
    assert len(open_member(tar_of(tmp_path / "ok.tar", small), "small")) == 1000
    for path, member in (
        (tmp_path / "x.whl", "large"),
        (tar_of(tmp_path / "x.tar", large), "large"),
        (tar_of(tmp_path / "y.tar", *padding, small), "small"),
    ):
        with pytest.raises(InputError) as caught:
            open_member(path, member)
        assert caught.value.code == "data.archive.too_large"


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(b"\x1f\x8b no archive")
    for name, code in (("x.tar.gz", "data.archive.broken"), ("none.whl", "data.no_file")):
        with pytest.raises(InputError) as caught:
            open_member(tmp_path / name, "a")
        assert caught.value.code == code
