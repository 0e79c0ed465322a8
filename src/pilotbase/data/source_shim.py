"""A build backend that builds nothing: with it pip hands over a source archive without running its set-up code.

``pip download`` of a source archive prepares metadata, and that runs whatever the archive brings. The shim stands in
for it: ``sitecustomize`` is the first thing that pip's backend process imports, and it replaces the backend that the
archive names (and forgets its path) by the `setuptools.build_meta` of the shim, which writes the name and version that
were asked for. Nothing inside the archive is read, ``setup.py`` and ``pyproject.toml``'s backend included.
"""

from __future__ import annotations

from pathlib import Path

_SITECUSTOMIZE = """\
import os

for _prefix in ("_PYPROJECT_HOOKS_", "PEP517_"):
    if _prefix + "BUILD_BACKEND" in os.environ:
        os.environ[_prefix + "BUILD_BACKEND"] = "setuptools.build_meta"
        os.environ.pop(_prefix + "BACKEND_PATH", None)
"""

_BUILD_META = """\
import os


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    name, version = os.environ["PILOTBASE_PACKAGE"], os.environ["PILOTBASE_PACKAGE_VERSION"]
    folder = name.replace("-", "_") + "-" + version + ".dist-info"
    os.mkdir(os.path.join(metadata_directory, folder))
    with open(os.path.join(metadata_directory, folder, "METADATA"), "w", encoding="utf-8") as stream:
        stream.write(f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    return folder


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise RuntimeError("data packages are never built")
"""


def write_shim(folder: Path) -> Path:
    """Return ``folder``, to be put first on ``PYTHONPATH``."""
    package = folder / "setuptools"
    package.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE, "utf-8")
    (package / "__init__.py").write_text("", "utf-8")
    (package / "build_meta.py").write_text(_BUILD_META, "utf-8")
    return folder
