"""The page of grades: the messages that a user gets for each case of the corpus, in both languages.

``python -m tests.corpus.grades`` tries the whole corpus in each language and writes the pages anew; read the diff.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.applications_for_tests import APPLICATIONS
from tests.corpus.grading import Grade, Told, grade
from tests.corpus.tables_for_tests import TABLES
from tests.corpus.trying_for_tests import laid_bench, try_application, try_table

DOCS = Path(__file__).parents[2] / "docs"
COMMAND = "python -m tests.corpus.grades"
_LONGEST = 400
_OF_NO_ACCOUNT = re.compile(
    r"^(Sealing|Installing|Rehearsing|fail |pass |not measured |report:|everything it printed|Not met|"
    r"Correct every place|alarm 1\.0\.0|"
    r"正在|不通过|通过|未测|报告：|全部输出|未满足|未达到|请逐一改正|封存|安装|预演 )|: \d+ problems?$|个问题$|"
    r"^\d+ (files?,|个文件，)|is valid\. Digest|检查通过。摘要|^Traceback|, line \d+, in \w+$|^│|^Python[:：]"
)
"""Lines that say nothing of the case: progress, criteria, places of files, headings."""
_BEFORE = re.compile(
    r"^The application stopped before it had answered every case \(0 answered\): |^应用未答完全部案例即结束（[^）]*）："
)
_PORT = re.compile(r"127\.0\.0\.1:\d+")
"""Where an endpoint of the corpus listens, which differs from run to run."""
_ROW = re.compile(r"^\| ([^|]+) \| ([A-F]) \|")
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "The first hour, graded",
        "lead": "Messy tables and broken applications, and what `scenario new`, `scenario doctor`, `scenario check`, "
        "`application check` and `trial rehearse` say of each. A rule grades what is said: **A** says what is wrong, "
        "where, and what to do, in one remark; **B** two of these, **C** one; **F** is silence, a wrong guess without "
        "a word, or a crash.",
        "tables": "Tables",
        "applications": "Applications",
        "head": "| case | grade | what is said |",
        "count": "{count} cases: {letters}.",
    },
    "zh": {
        "title": "首次使用评级",
        "lead": "以下是杂乱的表和损坏的应用，以及 `scenario new`、`scenario doctor`、`scenario check`、"
        "`application check`、`trial rehearse` 对每一个所作的说明。评级按规则进行："
        "**A** 为一条说明同时指出问题、位置和处理办法；"
        "**B** 为三者之二，**C** 为三者之一；**F** 为没有说明、误判而不提示，或程序崩溃。",
        "tables": "表",
        "applications": "应用",
        "head": "| 案例 | 评级 | 说明 |",
        "count": "共 {count} 个：{letters}。",
    },
}


@dataclass(frozen=True)
class Row:
    """One case: its name in both languages, its grade, and what was said in each."""

    name: Mapping[str, str]
    letter: str
    said: Mapping[str, str]


def committed() -> dict[str, str]:
    """Return the grades on the English page: name of a case → letter."""
    lines = (DOCS / "first-hour-grades.md").read_text("utf-8").splitlines()
    return {row[1]: row[2] for row in map(_ROW.match, lines) if row is not None and row[2]}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        place = Path(folder)
        with laid_bench(place):
            tables = [
                _row(one.name, one.expected, place, lambda at, lang, it=one: try_table(it, at, lang)) for one in TABLES
            ]
            applications = [
                _row(one.name, one.expected, place, lambda at, lang, it=one: try_application(it, place, at, lang))
                for one in APPLICATIONS
            ]
    for language, ending in (("en", ""), ("zh", ".zh")):
        page = "\n".join(_page(language, {"tables": tables, "applications": applications})) + "\n"
        (DOCS / f"first-hour-grades{ending}.md").write_text(page, "utf-8")


def _row(name: str, expected: object, place: Path, tried: Callable[[Path, str], Told]) -> Row:
    told = {}
    for language in _WORDS:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            told[language] = tried(Path(folder), language)
            cut = (one.replace(f"{folder}/", "").replace(f"{place}/", "") for one in told[language].remarks)
            told[language].remarks = list(cut)
    found: Grade = grade(expected, told["en"])
    said = {
        language: "" if found.remark is None else _short(one.remarks[found.remark]) for language, one in told.items()
    }
    return Row(dict(zip(_WORDS, name.split(" | "), strict=True)), found.letter, said)


def _short(remark: str) -> str:
    """Return what tells, of one remark, in one line of a table."""
    lines = [line.strip() for line in remark.splitlines()]
    told = " ".join(_BEFORE.sub("", line) for line in lines if line and not _OF_NO_ACCOUNT.search(line))
    told = _PORT.sub("127.0.0.1:PORT", told)
    told = told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"
    return re.sub(r"([\\|<>*_`\[\]])", r"\\\1", told)


def _page(language: str, groups: Mapping[str, list[Row]]) -> Iterator[str]:
    words = _WORDS[language]
    other = "[中文](first-hour-grades.zh.md)" if language == "en" else "[English](first-hour-grades.md)"
    yield from (
        f"<!-- Written by `{COMMAND}`; do not edit. -->",
        "",
        f"# {words['title']}",
        "",
        other,
        "",
        words["lead"],
    )
    for group, rows in groups.items():
        letters = [row.letter for row in rows]
        counted = ", ".join(f"{letter} {letters.count(letter)}" for letter in "ABCF" if letter in letters)
        yield from ("", f"## {words[group]}", "", words["count"].format(count=len(rows), letters=counted), "")
        yield from (words["head"], "|---|---|---|")
        yield from (f"| {row.name[language]} | {row.letter} | {row.said[language]} |" for row in rows)


if __name__ == "__main__":
    main()
