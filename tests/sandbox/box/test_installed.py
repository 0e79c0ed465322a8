"""Environments of what is installed beside Pilotbase: what they hold, and what is refused."""

import base64
import hashlib
import importlib
from importlib.metadata import PackageNotFoundError

import pytest

from pilotbase.documents.errors import InvalidProofError, PilotbaseError
from pilotbase.sandbox.box.environments import installed_environment, missing_packages, with_needed

FILES = {
    "lonely/__init__.py": b"value = 1\n",
    "lonely/__init__.pyi": b"value: int\n",
    "lonely/tests/test_it.py": b"",
    "lonely.pth": b"import lonely\n",
    "lonely-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: lonely\nVersion: 1.0\nRequires-Dist: absent>=2\n",
    "lonely-1.0.dist-info/INSTALLER": b"pip",
}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a distribution of these files for this process."""

    def put(files=FILES, record=True, place="packages"):
        folder = tmp_path / place
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        lines = [f"{name},sha256={spelled(content)},{len(content)}\n" for name, content in files.items()]
        if record:
            (folder / "lonely-1.0.dist-info" / "RECORD").write_text("".join(lines) + "lonely-1.0.dist-info/RECORD,,\n")
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()
        return folder

    return put


def spelled(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def test_it_holds_what_a_box_imports_and_nothing_else(install, tmp_path):
    install()
    environment = installed_environment(["lonely"], tmp_path / "cache")
    held = {path.relative_to(environment.path).as_posix() for path in environment.path.rglob("*") if path.is_file()}
    assert held == {"lonely/__init__.py", "lonely-1.0.dist-info/METADATA"}
    assert environment.packages == ("lonely==1.0",)
    environment.verify()
    assert installed_environment(["lonely"], tmp_path / "cache") == environment


def test_the_same_wheel_is_the_same_environment_whoever_installed_it(install, tmp_path):
    install()
    first = installed_environment(["lonely"], tmp_path / "one")
    install({**FILES, "lonely-1.0.dist-info/INSTALLER": b"uv"}, place="others")
    assert installed_environment(["lonely"], tmp_path / "other").digest == first.digest
    install({**FILES, "lonely/__init__.py": b"value = 2\n"}, place="changed")
    assert installed_environment(["lonely"], tmp_path / "changed").digest != first.digest


def test_a_file_that_was_changed_after_it_was_installed_is_refused(install, tmp_path):
    (install() / "lonely" / "__init__.py").write_bytes(b"value = 3\n")
    with pytest.raises(InvalidProofError, match="lonely/__init__"):
        installed_environment(["lonely"], tmp_path / "cache")


def test_what_keeps_no_list_of_its_files_is_refused(install, tmp_path):
    install(record=False)
    with pytest.raises(PilotbaseError, match="list of its files"):
        installed_environment(["lonely"], tmp_path / "cache")


def test_what_is_not_installed_is_named(install, tmp_path):
    install()
    assert (with_needed(["lonely"]), missing_packages(["lonely", "absent"])) == (["lonely"], ["absent"])
    with pytest.raises(PackageNotFoundError):
        installed_environment(["absent"], tmp_path / "cache")
