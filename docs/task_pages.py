"""The page of all tasks, in both languages: from the table of tasks, the registries and the examples' own files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

from pilotbase.documents.contract import TASKS, AnswerKind
from pilotbase.documents.texts import template
from pilotbase.measures import measures
from pilotbase.measures.perturbations import PERTURBATIONS

DOCS = Path(__file__).resolve().parent
EXAMPLES = DOCS.parent / "examples"
ON_REAL_DATA = ("classification", "regression")
"""Their examples are the five sectors."""


class Words(NamedTuple):
    """What a page says in its language; ``kinds``: what is returned of a case, and how its truth is spelled."""

    language: str
    ending: str
    page: str
    sectors: str
    refused: str
    kinds: dict[str, tuple[str, str]]
    columns: dict[str, str]


ENGLISH = Words(
    language="en",
    ending=".md",
    page="""# Tasks

[中文](tasks.zh.md)

What may be asked of an application. A task says how it may be answered (`task`, and `prediction` where it is not the
usual kind, which stands first); the kind says everything else: how truth is spelled, what can be measured, which
answers end a run. Nothing else asks for the task, so box, evidence, report and replay are the same for all.

## Every task

| task | | answered as | example: verdicts |
|---|---|---|---|
{tasks}

## A page each

{pages}

## Kinds of answers

`None` abstains in each kind, and counts as what harms a criterion. Formulas: [measures](reference/measures.md).

| kind | `predict` returns of a case | truth in the file | measures |
|---|---|---|---|
{kinds}

## Perturbations

`drop(… under …)` asks what a criterion loses under one: [perturbations](reference/perturbations.md).

| column | perturbations |
|---|---|
{perturbations}
""",
    sectors="[five sectors](../examples/README.md)",
    refused="refused at rehearsal",
    kinds={
        "label": ("a class", "a class"),
        "probability": ("a number from 0 to 1, of the positive class", "a class"),
        "probabilities": (
            "a number for each class, in their order, or a dict class → number; their sum is 1",
            "a class",
        ),
        "value": ("a number", "a number"),
        "interval": ("(lower, upper)", "a number"),
        "text": ("a text", "the text as it is"),
        "labels": ("a list of classes, maybe empty", "`a\\|b` or a JSON list; nothing is none"),
        "ranking": ("a list of names, best first", "the wanted names, best first: `a\\|b` or a JSON list"),
        "boxes": (
            "a list of (class, x, y, width, height, score), pixels from the upper left corner (COCO)",
            'JSON: `[["bolt", 3, 5, 11, 4], …]`; nothing is no box',
        ),
        "mask": (
            "codes of classes, shape (height, width); 255 is none",
            'JSON: `{"size": [height, width], "runs": [code, pixels, …]}`, row by row',
        ),
        "episode": ("nothing: the application acts in a [world](act-in-a-world.md)", "drawn by the base"),
    },
    columns={
        "number": "numbers",
        "boolean": "yes or no",
        "text": "texts",
        "time": "times",
        "image": "images",
        "audio": "sounds",
        "arm": "episodes",
    },
)
CHINESE = Words(
    language="zh",
    ending=".zh.md",
    page="""# 任务类型

[English](tasks.md)

可以要求应用完成什么任务。任务（`task`）规定可用哪些形式作答（第一种为常用形式，用其他形式时以 `prediction` 写明）；
其余一切由作答形式决定：真值如何书写、可用哪些指标、怎样的答案会使运行终止。
此外没有任何环节区分任务，因此沙箱、证据、报告和复核对所有任务都一样。

## 全部任务

| 任务 | | 作答形式 | 示例：结论 |
|---|---|---|---|
{tasks}

## 各任务的页面

{pages}

## 作答形式

任何形式都可用 `None` 弃答，弃答按对准则最不利的情形计算。公式见[指标](reference/measures.md)。

| 形式 | `predict` 对每个案例返回 | 文件中的真值 | 指标 |
|---|---|---|---|
{kinds}

## 扰动

`drop(… under …)` 限定在扰动之下准则可以变差多少：[扰动](reference/perturbations.md)。

| 数据列 | 扰动 |
|---|---|
{perturbations}
""",
    sectors="[五个行业](../examples/README.md)",
    refused="预演未过",
    kinds={
        "label": ("一个类别", "类别"),
        "probability": ("正类的概率，0 到 1", "类别"),
        "probabilities": ("按类别顺序每类一个概率，或类别 → 概率的字典，总和为 1", "类别"),
        "value": ("一个数", "数值"),
        "interval": ("（下限，上限）", "数值"),
        "text": ("一段文本", "文本原样"),
        "labels": ("类别列表，可为空", "`a\\|b` 或 JSON 列表；留空表示没有标签"),
        "ranking": ("名称列表，最佳在前", "应找到的名称，最佳在前：`a\\|b` 或 JSON 列表"),
        "boxes": (
            "（类别，x，y，宽，高，得分）的列表，以左上角为原点的像素坐标（COCO）",
            'JSON：`[["bolt", 3, 5, 11, 4], …]`；留空表示没有框',
        ),
        "mask": (
            "类别编号的二维数组，形状为（高，宽），255 表示无类别",
            'JSON：`{"size": [高, 宽], "runs": [编号, 像素数, …]}`，逐行书写',
        ),
        "episode": ("无：应用在[世界](act-in-a-world.zh.md)中行动", "由基地抽取"),
    },
    columns={
        "number": "数值",
        "boolean": "是/否",
        "text": "文本",
        "time": "时间",
        "image": "图像",
        "audio": "声音",
        "arm": "回合",
    },
)


def task_pages() -> dict[Path, str]:
    """Return path → content of the page in each language."""
    head = "<!-- Written by docs/task_pages.py; do not edit. -->\n\n"
    parts = {"{tasks}": _tasks, "{pages}": _pages, "{kinds}": _kinds, "{perturbations}": _perturbations}
    found = {}
    for words in (ENGLISH, CHINESE):
        page = words.page
        for place, lines in parts.items():
            page = page.replace(place, "\n".join(lines(words)))
        found[DOCS / f"tasks{words.ending}"] = head + page
    return found


def _tasks(words: Words) -> Iterator[str]:
    for task, kind in TASKS.items():
        example = words.sectors if task in ON_REAL_DATA else _verdicts(task, words)
        answered = ", ".join(f"`{one}`" for one in kind.kinds)
        yield f"| `{task}` | {template(f'match.task.{task}', words.language)} | {answered} | {example} |"


def _verdicts(task: str, words: Words) -> str:
    """Return the examples of a task, and of their applications the verdict that each gets."""
    found = []
    for file in sorted((EXAMPLES / "tasks").glob(f"{task}*/expected.json")):
        told = json.loads(file.read_text("utf-8"))
        verdicts = {name: one if isinstance(one, str) else one["verdict"] for name, one in told.items()}
        said = (f"{name}: {_named(one, words)}" for name, one in verdicts.items())
        found.append(f"[{file.parent.name}](../examples/tasks/{file.parent.name}/): {'; '.join(said)}")
    return "<br>".join(found)


def _named(verdict: str, words: Words) -> str:
    return words.refused if verdict == "refused" else template(f"verdict.{verdict}", words.language)


def _pages(words: Words) -> Iterator[str]:
    for task in TASKS:
        if (page := DOCS / "tasks" / f"{task}{words.ending}").exists():
            title, _, told, *_ = page.read_text("utf-8").split("\n\n")  # between them: the other language
            yield f"* [{title.removeprefix('# ')}](tasks/{page.name}): {' '.join(told.split())}"


def _kinds(words: Words) -> Iterator[str]:
    for answer in get_args(AnswerKind):
        named = ", ".join(f"`{name}`" for name, measure in measures().items() if answer in measure.kinds)
        yield f"| `{answer}` | {' | '.join(words.kinds[answer])} | {named} |"


def _perturbations(words: Words) -> Iterator[str]:
    for column, title in words.columns.items():
        named = ", ".join(f"`{name}`" for name, kind in PERTURBATIONS.items() if column in kind.kinds)
        if named:
            yield f"| {title} | {named} |"
