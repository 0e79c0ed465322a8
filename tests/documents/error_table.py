"""The table of errors: each code once, with sample values and what a reader of either language is told.

``python -m tests.documents.error_table`` writes it anew: sample values stay as they are, texts follow the catalogues.
The table is there to be read in the diff: what, where, what to do.
"""

from __future__ import annotations

import json
import string
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import raised  # noqa: E402

from pilotbase.documents.errors import PilotbaseError  # noqa: E402
from pilotbase.documents.texts import (  # noqa: E402
    LANGUAGES,
    Language,
    Text,
    catalogue,
    sentence,
)

FOLDER = Path(__file__).parent / "error_table"
COMMAND = "python -m tests.documents.error_table"


def table() -> dict[str, dict]:
    """Return code → row: ``class``, ``given``, and in each language what is said and the hint."""
    return {
        code: row for file in sorted(FOLDER.glob("*.toml")) for code, row in tomllib.loads(file.read_text()).items()
    }


def classes_of(sites: Sequence[raised.Site]) -> str:
    return ", ".join(sorted({site.kind for site in sites} - {""}))


def said(code: str, given: Mapping[str, object], language: Language) -> list[str]:
    """Return what and what to do, as an error renders them."""
    values = {name: Text.model_validate(value) if isinstance(value, dict) else value for name, value in given.items()}
    error = PilotbaseError(code, **values)
    return [sentence(error.text, language), sentence(error.hint, language)]


def named_by(code: str, language: Language) -> set[str]:
    """Return the values that the two sentences of ``code`` name."""
    domain = catalogue(code.partition(".")[0], language)
    templates = (domain.get(code, ""), domain.get(f"{code}.hint", ""))
    return {name for template in templates for _, name, _, _ in string.Formatter().parse(template) if name}


def main() -> None:
    known = table()
    samples = _samples(known)
    rows: dict[str, list[str]] = {}
    for code, sites in raised.error_codes().items():
        given = known.get(code, {}).get("given", {})
        values = {name: given[name] if name in given else samples[name] for name in sorted(named_by(code, "en"))}
        rows.setdefault(code.partition(".")[0], []).extend(_row(code, classes_of(sites), values))
    FOLDER.mkdir(exist_ok=True)
    for stale in {file.stem for file in FOLDER.glob("*.toml")} - rows.keys():
        (FOLDER / f"{stale}.toml").unlink()
    for room, lines in rows.items():
        (FOLDER / f"{room}.toml").write_text("\n".join(lines), "utf-8")


class _Samples(dict):
    def __missing__(self, name: str) -> object:
        return "…"


def _samples(known: Mapping[str, dict]) -> _Samples:
    """Return the value that most errors have for a name, for codes that are new."""
    values: dict[str, Counter] = {}
    for row in known.values():
        for name, value in row["given"].items():
            values.setdefault(name, Counter())[json.dumps(value)] += 1
    return _Samples({name: json.loads(counted.most_common(1)[0][0]) for name, counted in values.items()})


def _row(code: str, kind: str, given: Mapping[str, object]) -> Iterator[str]:
    yield f'["{code}"]'
    yield f'class = "{kind}"'
    yield f"given = {_toml(given)}"
    for language in LANGUAGES:
        yield f"{language} = ["
        yield from (f"    {_toml(line)}," for line in said(code, given, language))
        yield "]"
    yield ""


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{name} = {_toml(item)}" for name, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
