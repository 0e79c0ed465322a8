"""Every sentence exists in both languages, with the same parameters; every error says what to do."""

import ast
import re
import string
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from pilotbase.documents.base import Step
from pilotbase.documents.catalogues import catalogue, read_messages
from pilotbase.documents.limits import EndReason
from pilotbase.documents.texts import LANGUAGES, Text, percent, text
from pilotbase.documents.vocabularies import VOCABULARIES
from tests.packages_for_tests import files

ERRORS = {"PilotbaseError", "InputError", "InvalidProofError", "UnknownProofError", "RefusedError"}


@cache
def nodes_of_python() -> dict[type[ast.AST], list[ast.AST]]:
    """The tree's nodes by their kind; everything here needs the same walk."""
    found: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
    for _, path in files("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found[type(node)].append(node)
    return found


def last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@cache
def error_classes() -> set[str]:
    """Every class of the tree, found by its bases, so that a new subclass is held to the same rule."""
    names = set(ERRORS)
    for _ in range(3):
        names |= {one.name for one in nodes_of_python()[ast.ClassDef] if names & set(map(last_name, one.bases))}
    return names


def python_codes() -> Iterator[tuple[str, bool]]:
    errors = error_classes()
    for call in nodes_of_python()[ast.Call]:
        name = last_name(call.func)
        for argument in call.args[: 2 if name == "asked" else 1]:
            code = getattr(argument, "value", None)
            known = name in errors or name in {"text", "t", "asked"}
            if isinstance(code, str) and "." in code and " " not in code and known:
                yield code, name in errors


DJANGO_TAG = re.compile(r"""\{%\s*(t|word|status)\s+["']([a-z_.]+)["'](?:\s+["']([a-z_]+)["'])?""")

DJANGO_PART = re.compile(r'\{%\s*(?:badge "[a-z]+"|nothing code=)\s*"([a-z_.]+)"')


def django_parts() -> Iterator[str]:
    """Codes of ``{% badge "pass" "x.y" %}`` and ``{% nothing code="x.y" %}``, which shows ``x.y.why`` too."""
    for _, path in files("*.html"):
        yield from DJANGO_PART.findall(path.read_text("utf-8"))


def django_codes() -> Iterator[str]:
    """Codes of the hub's templates: ``{% t "x.y" %}``, and ``{% status "x" "y" %}`` where both are written out."""
    yield from django_parts()
    for _, path in (*files("*.html"), *files("templates/**/*.txt")):
        for tag, code, value in DJANGO_TAG.findall(path.read_text("utf-8")):
            if tag == "t" or value:
                yield f"{code}.{value}" if value else code


def django_prefixes() -> set[str]:
    """Vocabularies that the hub's templates name, such as ``hub.payer.``: their values come at run time."""
    pages = (path.read_text("utf-8") for _, path in files("*.html"))
    return {f"{code}." for page in pages for tag, code, value in DJANGO_TAG.findall(page) if tag != "t" and not value}


def jinja_arguments(name: str) -> Iterator[nodes.Expr]:
    """The first argument of each call of a function in the templates of reports."""
    for _, path in files("*.jinja*"):
        for call in Environment(autoescape=True).parse(path.read_text()).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == name and call.args:
                yield call.args[0]


def template_codes() -> Iterator[str]:
    yield from django_codes()
    yield from (str(first.value) for first in jinja_arguments("t") if isinstance(first, nodes.Const))


def jinja_prefixes() -> set[str]:
    """Vocabularies that reports name, as ``named("box.end", …)`` or ``t("trial.void." ~ …)``."""
    joined = (first.nodes[0] for first in jinja_arguments("t") if isinstance(first, nodes.Concat))
    named = {f"{first.value}." for first in jinja_arguments("named") if isinstance(first, nodes.Const)}
    return named | {str(first.value) for first in joined if isinstance(first, nodes.Const)}


def built_codes() -> Iterator[str]:
    for domain, vocabulary in VOCABULARIES.items():
        yield from (f"{domain}.{value}" for value in vocabulary)
    yield from (f"step.{step.name.lower()}" for step in Step)
    yield from (f"box.end.{reason}" for reason in EndReason)


@cache
def used_codes() -> dict[str, bool]:
    codes = dict.fromkeys([*template_codes(), *built_codes()], False)
    for code, is_error in python_codes():
        codes[code] = codes.get(code, False) or is_error
    return codes


@cache
def catalogue_codes(language: str) -> dict[str, str]:
    """Every sentence by its code; help of commands has its English beside them (`tests/cli/test_help_language.py`)."""
    sentences: dict[str, str] = {}
    for _, path in files(f"locale/{language}/*.po"):
        sentences |= catalogue(path.stem, language) if path.stem != "help" else {}
    return sentences


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_vocabulary_that_a_page_names_has_words(language):
    known = catalogue_codes(language)
    named = django_prefixes() | jinja_prefixes()
    assert sorted(one for one in named if not any(code.startswith(one) for code in known)) == []


def parameters(template: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_in_the_source_has_its_sentence(language):
    known = catalogue_codes(language)
    assert sorted(code for code in used_codes() if not known.get(code)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_says_what_to_do(language):
    known = catalogue_codes(language)
    assert sorted(code for code, is_error in used_codes().items() if is_error and not known.get(f"{code}.hint")) == []


def test_both_catalogues_hold_the_same_codes_with_the_same_parameters():
    english, chinese = catalogue_codes("en"), catalogue_codes("zh")
    assert sorted(english.keys() ^ chinese.keys()) == []
    assert [code for code in english if parameters(english[code]) != parameters(chinese[code])] == []


def test_chinese_sentences_are_chinese():
    """Whatever has words of its own in English, besides parameters and names, has Chinese characters in Chinese."""
    english, chinese = catalogue_codes("en"), catalogue_codes("zh")
    without_parameters = {code: re.sub(r"\{[^}]*\}", "", sentence) for code, sentence in english.items()}
    worded = [code for code, sentence in without_parameters.items() if re.search(r"[a-z]{3,} [a-z]{2,}", sentence)]
    assert [code for code in worded if not re.search(r"[\u4e00-\u9fff]", chinese[code])] == []


def test_no_sentence_is_left_over():
    used = used_codes().keys() | {f"{code}.why" for code in django_parts()}
    roots = {code.removesuffix(".hint") for code in catalogue_codes("en")}
    literals = {node.value for node in nodes_of_python()[ast.Constant] if isinstance(node.value, str)}
    formatted = {
        str(node.values[0].value)
        for node in nodes_of_python()[ast.JoinedStr]
        if isinstance(node.values[0], ast.Constant)
    }
    prefixes = (
        tuple(django_prefixes() | jinja_prefixes())
        + tuple(literal for literal in formatted if "." in literal and " " not in literal)
        + tuple(literal for literal in literals if literal.endswith(".") and " " not in literal)
    )
    left = [code for code in roots if code not in used and code not in literals and not code.startswith(prefixes)]
    assert sorted(left) == []


def test_nested_texts_are_rendered_in_the_same_language():
    inner = Text(code="verdict.accept")
    outer = Text(code="input.missing_for_step", params={"step": inner})
    assert catalogue("verdict", "zh")["verdict.accept"] in outer.render("zh")
    assert catalogue("verdict", "en")["verdict.accept"] in outer.render("en")


@pytest.mark.parametrize(
    ("outer", "value", "said"),
    [
        ("measure.latency.p50.plain", text("report.plain.at_most", bound="1 s"), "半数请求的应答时间最长不超过 1 s。"),
        ("measure.memory.peak.plain", text("report.plain.value", number="1 GiB"), "内存峰值 1 GiB。"),
        ("measure.cost.plain", text("report.plain.at_most", bound="5"), "平均每个案例的出错成本不超过 5。"),
    ],
)
def test_chinese_is_spaced_where_it_meets_latin_and_not_within(outer, value, said):
    assert text(outer, value=value).render("zh") == said
    floor = text("trial.floor.cases", cases=100)
    assert text("certificate.shown.floor", floor=floor).render("zh") == "按本方案，判定通过至少依据 100 个案例"


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    "path",
    [path for _, path in files("locale/*/*.po")],
    ids=lambda path: "-".join([*path.parts[-6:-5], path.parent.name, path.stem]),
)
def test_a_catalogue_reads_as_it_does_by_babel(path):
    """Whole, with no code twice: gettext's own tools read our files, too."""
    theirs = [str(message.id) for message in read_po(path.open("rb")) if message.id]
    ours = read_messages(path.read_text("utf-8"))
    assert path.read_text("utf-8").count('\nmsgid "') == len(theirs) == len(ours)
    assert ours == {str(message.id): str(message.string) for message in read_po(path.open("rb")) if message.id}


@pytest.mark.parametrize("broken", ['msgid "a.b"\nmsgstr "c\n', 'msgid "a.b"\nmsgctxt "d"\nmsgstr "c"\n', "a.b = c\n"])
def test_what_is_no_message_of_ours_is_refused(broken):
    with pytest.raises(ValueError, match="part of no message"):
        read_messages(f'msgid ""\nmsgstr ""\n\n{broken}')


def test_escapes_and_lines_are_read():
    assert read_messages('msgid "a.b"\nmsgstr ""\n"say \\"c\\"\\n"\n"d\\\\n"\n') == {"a.b": 'say "c"\nd\\n'}


@pytest.mark.parametrize(
    ("cases", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), ("1", "1 row"), ("1,000", "1,000 rows")]
)
def test_a_number_brings_its_plural(cases, words):
    assert text("reader.row_count", rows=cases).render() == words


COUNTED = re.compile(r"\{\w+[^}|]*:([^}|]+)\|([^}]+)\}")
VERBS = {"agree", "and", "are", "ask", "belong", "differ", "do", "fail", "have", "lie", "look", "stand", "stay", "were"}
OF_VERBS_TOO = {"calls", "claims", "counts", "leaves", "offers", "points", "runs", "sets", "turns", "uses", "others"}
"""Words that are a plural in one sentence and what somebody does in another."""


def test_no_number_stands_before_a_plural_that_one_would_not_have():
    """A noun that has two forms anywhere has them wherever a number stands before it."""
    english = catalogue_codes("en")
    forms = [form.split() for sentence in english.values() for found in COUNTED.findall(sentence) for form in found]
    pairs = list(zip(forms[::2], forms[1::2], strict=True))
    nouns = {word for one, many in pairs for word in many if word not in one and word.isalpha()} - VERBS - OF_VERBS_TOO
    beside = {word for one, many in pairs for word in many if word in one} - {"of", "or"}
    alone = re.compile(rf"\{{\w+\}} (?:(?:{'|'.join(beside)}) )*(?:{'|'.join(nouns)})\b")
    assert [(code, sentence) for code, sentence in english.items() if alone.search(sentence)] == []
    assert [code for code, sentence in english.items() if re.search(r"\w\(e?s\)", sentence)] == []


PERCENT = {"en": re.compile(r"[0-9}]%(?!\})|%\}"), "zh": re.compile(r"[0-9}] %|%\}")}
"""What no sentence says: "95%" in English, "95 %" in Chinese, a share that the template itself makes a percentage."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_percentages_are_spelled_as_the_language_spells_them(language):
    assert [code for code, sentence in catalogue_codes(language).items() if PERCENT[language].search(sentence)] == []
    told = text("doctor.mostly_missing", column="note", share=percent(0.7)).render(language)
    assert told == {"en": "note has no value in 70 % of the cases", "zh": "note 在 70% 的案例中没有值"}[language]


def test_a_share_becomes_a_percentage_in_one_place():
    """`percent`, except for widths in a drawing."""
    made = re.compile(r"""[\w)\]]:[-+.\w]*%\}|:[.\w{}]+\} ?%["' ]""")
    assert {place for place, path in files("*.py") if made.search(path.read_text("utf-8"))} == {"charts/drawing.py"}


def test_chinese_has_one_form():
    assert [code for code, sentence in catalogue_codes("zh").items() if COUNTED.search(sentence)] == []
