"""Writes what can be read off the code: commands, fields, errors, measures, operations, schemas. ``make docs`` runs it.

`REFERENCE` and `SCHEMAS` are built and not committed. The index of decisions and the pages of tasks are committed:
``tests/test_docs.py`` fails when they are not what the code says.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Literal

import click
import operations
import pydantic
import quality_measures
import raised
import steps
import task_pages
import typer

from pilotbase.cli import app
from pilotbase.documents.plugins import HOUSE, plugins
from pilotbase.documents.schema import KINDS, json_schema
from pilotbase.documents.texts import LANGUAGES, sentence, template, text
from pilotbase.documents.vocabularies import VOCABULARIES
from pilotbase.measures import Measure, ResourceMeasure, measures, resource_measures
from pilotbase.measures.perturbations import PERTURBATIONS, PerturbationParameter

DOCS = Path(__file__).resolve().parent
HEAD = "<!-- Written by docs/generate.py; do not edit. -->\n\n"
_OURS = (HOUSE, *plugins())
REFERENCE, SCHEMAS = DOCS / "reference", DOCS / "schema"
OPERATIONS = REFERENCE / "operations.md"


def main() -> None:
    """Write every generated file, from the English help."""
    os.environ["PILOTBASE_LANGUAGE"] = "en"
    for path, content in (committed() | reference() | {OPERATIONS: operations_page(operations.schema())}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(content, "utf-8")
        draft.replace(path)  # another process may be reading it


def committed() -> dict[Path, str]:
    """Return path → content of the generated files that are read in the repository too."""
    decisions = HEAD + "# Decisions\n\n" + "\n".join(decision_lines())
    return {DOCS / "decisions" / "README.md": decisions, **task_pages.task_pages()}


def reference() -> dict[Path, str]:
    """Return path → content of the reference, without the operations, and of the schemas."""
    pages = {
        "commands": ("Commands", command_lines),
        "fields": ("Fields of the documents", field_lines),
        "vocabularies": ("Vocabularies", vocabulary_lines),
        "errors": ("Errors", error_lines),
        "measures": ("Measures", measure_lines),
        "quality-measures": ("Measures of data quality", quality_measures.quality_lines),
        "perturbations": ("Perturbations", perturbation_lines),
        "steps": ("Steps of records", steps.step_lines),
    }
    files = {
        REFERENCE / f"{name}.md": f"{HEAD}# {title}\n\n" + "\n".join(lines()) for name, (title, lines) in pages.items()
    }
    for kind in KINDS:
        schema = json.dumps(json_schema(kind), ensure_ascii=False, indent=1)
        files[SCHEMAS / f"{kind}.json"] = schema + "\n"
    return files


def operations_page(schema: operations.Json) -> str:
    """Return the page of the API's operations; apart from the others, for its schema needs Django."""
    return f"{HEAD}# Operations of the API\n\n{operations.page(schema)}"


def decision_lines() -> Iterator[str]:
    """Yield every decision by its title."""
    yield "What was decided, when and why, where another way was open; `NNNN-title.md`, numbered as they were taken.\n"
    for path in sorted(DOCS.glob("decisions/0*.md")):
        yield f"* [{path.read_text('utf-8').partition(chr(10))[0].removeprefix('# ')}]({path.name})"
    yield ""


def command_lines() -> Iterator[str]:
    """Yield every command with its options."""
    root = typer.main.get_command(app)
    yield "`PILOTBASE_HOME` names the base's folder (default `~/.pilotbase`); `PILOTBASE_LANGUAGE` is `en` or `zh`.\n"
    yield "Exit codes: 0 done (accept), 1 our own failure or the machine's (disk full), 2 bad input, 3 reject or"
    yield "invalid, 4 inconclusive or unknown, 5 refused by policy, 130 interrupted.\n"
    yield from _walk(root, "pilotbase")


def _walk(command: click.Command, path: str) -> Iterator[str]:
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        for name, inner in command.commands.items():  # type: ignore[attr-defined]
            yield from _walk(inner, f"{path} {name}")
        return
    yield f"## `{path}`\n"
    yield (command.help or "").strip() + "\n"
    for parameter in command.params:
        if parameter.name == "help":
            continue
        names = ", ".join(f"`{name}`" for name in parameter.opts) if parameter.param_type_name == "option" else ""
        shown = names or f"`{(parameter.metavar or parameter.name or '').upper()}`"
        yield f"* {shown}: {getattr(parameter, 'help', None) or ''}".rstrip()
    yield ""


def field_lines() -> Iterator[str]:
    """Yield every document kind with its fields."""
    seen: set[str] = set()
    for kind, model in KINDS.items():
        yield f"## {kind}\n"
        yield f"JSON Schema: [{kind}.json](../schema/{kind}.json)\n"
        yield from _model_lines(model, seen)


def _model_lines(model: type[pydantic.BaseModel], seen: set[str]) -> Iterator[str]:
    if model.__name__ in seen:
        return
    seen.add(model.__name__)
    yield f"### {model.__name__}\n\n{_first_paragraph(model.__doc__)}\n"
    yield "| field | type | default | meaning |\n|---|---|---|---|"
    written = {name: field for kind in reversed(model.__mro__) for name, field in _written_fields(kind).items()}
    inner: list[type[pydantic.BaseModel]] = []
    for name, info in model.model_fields.items():
        inner += _models_in(info.annotation)
        default = "required" if info.is_required() else _default(info)
        needed = info.json_schema_extra.get("needed_for") if isinstance(info.json_schema_extra, dict) else None
        annotation, meaning = written[name]
        meaning = f"{meaning} Needed to {needed}." if needed else meaning
        yield f"| `{info.alias or name}` | `{annotation}` | {default} | {meaning.strip()} |"
    yield ""
    for part in inner:
        yield from _model_lines(part, seen)


def _models_in(annotation: object) -> list[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    return [model for argument in getattr(annotation, "__args__", ()) for model in _models_in(argument)]


def _default(info: pydantic.fields.FieldInfo) -> str:
    value = info.get_default(call_default_factory=True)
    shown = value.value if hasattr(value, "value") else value
    return "" if isinstance(value, pydantic.BaseModel) else f"`{shown}`".replace("|", "\\|")


def _written_fields(kind: type) -> dict[str, tuple[str, str]]:
    """Return field → (annotation as written, the string literal that stands under it)."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if kind.__module__.partition(".")[0] not in _OURS or file is None:
        return {}
    found: dict[str, tuple[str, str]] = {}
    for node in _classes(file):
        if node.name != kind.__name__:
            continue
        for statement, follower in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                said = follower.value if isinstance(follower, ast.Expr) else None
                meaning = " ".join(str(said.value).split()) if isinstance(said, ast.Constant) else ""
                found[statement.target.id] = (ast.unparse(statement.annotation).replace("|", "\\|"), meaning)
    return found


@cache
def _classes(file: str) -> list[ast.ClassDef]:
    return [node for node in ast.walk(ast.parse(Path(file).read_text("utf-8"))) if isinstance(node, ast.ClassDef)]


def vocabulary_lines() -> Iterator[str]:
    """Yield every closed list with its names in both languages."""
    for domain, vocabulary in VOCABULARIES.items():
        yield f"## {vocabulary.__name__}\n\n{_first_paragraph(vocabulary.__doc__)}\n"
        yield "| value | English | 中文 |\n|---|---|---|"
        for value in vocabulary:
            names = (template(f"{domain}.{value}", language) for language in LANGUAGES)
            yield f"| `{value}` | {' | '.join(names)} |"
        yield ""


def perturbation_lines() -> Iterator[str]:
    """Yield every perturbation with its parameters, the first of which is its strength."""
    yield "`drop(accuracy under noise(0.1)) <= 0.05`: by how much a measure may get worse when the features change."
    yield "The first number is the strength; `columns=a|b` names columns, otherwise all of its kinds change.\n"
    yield "| name | English | 中文 | changes | parameters | what it does |\n|---|---|---|---|---|---|"
    for name, kind in PERTURBATIONS.items():
        titles = " | ".join(kind.title.render(language) for language in LANGUAGES)
        parameters = ", ".join(f"`{item.name}`{_span(item)}" for item in kind.parameters)
        does = " ".join((kind.__doc__ or "").split()).replace("|", "\\|")
        yield f"| `{name}` | {titles} | {', '.join(sorted(kind.kinds))} | {parameters} | {does} |"
    yield ""


def _span(item: PerturbationParameter) -> str:
    if item.of_columns:
        return ""
    words = [*(f"`{word}`" for word in item.words), f"{item.low:f} to {item.high:f}"]
    return f" ({' or '.join(words)}{'' if item.default is None else f', {item.default}'})"


def error_lines() -> Iterator[str]:
    """Yield every error with what happened and what to do, in both languages."""
    yield "Every error has a code, says what and where, and what to do, in English and Chinese. `{…}` is filled in;"
    yield "`tests/documents/error_table/` shows each with sample values.\n"
    yield "| code | exit | what | what to do |\n|---|---|---|---|"
    for code, sites in raised.error_codes().items():
        exits = sorted({raised.exit_codes()[site.kind] for site in sites if site.kind})
        what, hint = (_in_both(key) for key in (code, f"{code}.hint"))
        yield f"| `{code}` | {', '.join(map(str, exits))} | {what} | {hint} |"
    yield ""


def _in_both(code: str) -> str:
    names = [name for _, name, _, _ in Formatter().parse(template(code, "en")) if name]
    said = text(code, **{name: f"{{{name}}}" for name in names})
    lines = (sentence(said, language).replace("|", "\\|").replace("\n", " ") for language in LANGUAGES)
    return "<br>".join(lines).replace("[^", "\\[^")  # no footnote


def measure_lines() -> Iterator[str]:
    """Yield every measure that a criterion can name."""
    yield "A criterion is `measure >= threshold` or `measure <= threshold`; `gap(… by column)` and `worst(… by column)`"
    yield "compare groups. 0/0 is *not measured*, never a pass; an abstention counts as what harms the criterion.\n"
    yield "Guarantees that it can have, strongest first. *census*: exact, all cases are scored; *anytime*: exact at"
    yield "any stopping time; *fixed*: exact for a number of cases fixed beforehand; *asymptotic*: approximate, for"
    yield "many cases and a number fixed beforehand; *descriptive*: none, so no criterion. A certificate is as strong"
    yield "as its weakest criterion. A measure with others under *beside* needs a criterion on one of them beside it.\n"
    yield "| measure | what | formula | source | better | bounds | arguments | hidden set | population | beside |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, measure in (*measures().items(), *resource_measures().items()):
        arguments = (
            ", ".join(item.name for item in measure.parameters) if isinstance(measure, Measure) else measure.unit
        )
        title = f"{measure.title.render('en')} · {measure.title.render('zh')}"
        own = isinstance(measure, Measure)
        cells = (
            *(f"`{name}`", title, measure.formula, measure.source, measure.better),
            *(_bounds(measure) if own else "0 to ∞", arguments),
            *(_guarantees(measure, "hidden_set"), _guarantees(measure, "population")),
            ", ".join(measure.beside) if own else "",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _bounds(measure: Measure) -> str:
    return " to ".join(
        end if isinstance(end, str) else f"{end:f}" if not callable(end) else "the larger cost"
        for end in measure.bounds
    )


def _guarantees(measure: Measure | ResourceMeasure, estimand: Literal["hidden_set", "population"]) -> str:
    kinds = measure.guarantees.of(estimand) or measure.guarantees.of("run")
    return ", ".join(kind.removeprefix("exact_").replace("_", " ") for kind in kinds)


def _first_paragraph(docstring: str | None) -> str:
    return " ".join((docstring or "").strip().split("\n\n")[0].split())


if __name__ == "__main__":
    main()
