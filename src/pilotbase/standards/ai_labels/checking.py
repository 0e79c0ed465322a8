"""One file, many files: which medium, which labels. A check that would need eyes or ears is *not measured*.

Source: GB 45438-2025 as excerpted (kind of content, provider, number of the content). The names of the three fields
are from memory, so a label that lacks them is distinguished from no label.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pilotbase.documents.errors import InputError
from pilotbase.documents.files import reading
from pilotbase.documents.standards import CheckedFile, LabelState, Medium, StandardCheck
from pilotbase.documents.texts import Text, text
from pilotbase.standards.ai_labels.containers import (
    ID3_MAGIC,
    JPEG_MAGIC,
    LONGEST_TEXT,
    MP4_MAGIC,
    PNG_MAGIC,
    RIFF_MAGIC,
    Bounded,
    UnreadableError,
    id3_texts,
    jpeg_texts,
    mp4_texts,
    png_texts,
    riff_texts,
)

METHOD = "pb-labels-1.0"
MOST_FILES = 100_000
LARGEST_FILE = 64 << 30
Kind = Literal["label-check", "label-fields-check", "text-label-check"]
KINDS: tuple[Kind, ...] = ("label-check", "label-fields-check", "text-label-check")
KEY = "AIGC"
FIELDS = ("Label", "ContentProducer", "ProduceID")
LONGEST_JSON = 64 << 10
MOST_PLACES = 32
"""Places examined in one text: each takes a pass over the text that follows."""
_IN_XML = re.compile(r'AIGC\s*+=\s*+"([^"]*)"|AIGC\s*+=\s*+\'([^\']*)\'|AIGC(?:\s[^<>]*+)?>([^<]*)<')


def files_of(paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """Return (name, path) of files and of all files in folders, sorted; links aren't followed.

    Raises:
        InputError: a path doesn't exist, or there are too many files.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise InputError("input.no_file", file=path)
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            if file.is_file() and not file.is_symlink():
                found[file.relative_to(path).as_posix() if path.is_dir() else file.name] = file
            if len(found) > MOST_FILES:
                raise InputError("standard.too_many_files", allowed=MOST_FILES)
    return sorted(found.items())


def check_file(path: Path, name: str) -> CheckedFile:
    """Return which labels a file carries; an unreadable label is reported and counts as absent.

    Raises:
        InputError: the file can't be opened, or is larger than `LARGEST_FILE`.
    """
    with reading(path), path.open("rb") as stream:
        size = stream.seek(0, 2)
        if size > LARGEST_FILE:
            raise InputError("input.file_too_large", file=path, limit=LARGEST_FILE)
        stream.seek(0)
        digest = "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
        return _checked(name, digest, stream, size)


def record_of(kind: Kind, files: Sequence[CheckedFile], at: datetime, software: str) -> StandardCheck | None:
    """Return the record of one kind of check over the files, or None if none of them is of that kind."""
    asked = [one for one in files if _is_asked(kind, one)]
    if not asked:
        return None
    passed = sum(_passes(kind, one) for one in asked)
    return StandardCheck(
        kind=kind,
        sample=len(asked),
        passed=passed,
        method=METHOD,
        files=tuple(asked),
        made_at=at,
        software=software,
    )


def _is_asked(kind: Kind, file: CheckedFile) -> bool:
    return file.medium == "text" if kind == "text-label-check" else file.implicit != "not_measured"


def _passes(kind: Kind, file: CheckedFile) -> bool:
    if kind == "text-label-check":
        return file.explicit == "present"
    return file.implicit == "present" and (kind == "label-check" or not file.lacking)


def _checked(name: str, digest: str, stream: BinaryIO, size: int) -> CheckedFile:
    file = Bounded(stream, size)
    medium, read = _kind_of(file.read(0, min(size, 12)))
    if medium == "unknown" and _content(file) is not None:
        return _checked_text(name, digest, file)
    why: list[Text] = []
    try:
        implicit = _implicit_label(read(file) if read is not None else ())
    except UnreadableError as error:
        implicit, why = _Implicit("unreadable"), [error.said]
    if medium == "unknown":
        implicit, why = _Implicit("not_measured"), [text("standard.file.unknown")]
    why += [text("standard.file.needs_eyes")] if medium in ("image", "video") else []
    why += [text("standard.file.needs_ears")] if medium == "audio" else []
    return _told(name, digest, medium, implicit, why)


def _told(name: str, digest: str, medium: Medium, implicit: _Implicit, why: Sequence[Text]) -> CheckedFile:
    return CheckedFile(
        name=name,
        digest=digest,
        medium=medium,
        explicit="not_measured",
        implicit=implicit.state,
        lacking=implicit.lacking,
        why=tuple(why),
    )


def _kind_of(head: bytes) -> tuple[Medium, Callable[[Bounded], Iterator[tuple[str, str]]] | None]:
    """Return which medium a file begins like, and what reads the texts in it; None: it has no place for them."""
    if head.startswith(PNG_MAGIC):
        return "image", png_texts
    if head.startswith(JPEG_MAGIC):
        return "image", jpeg_texts
    if head.startswith(RIFF_MAGIC) and head[8:12] in (b"WEBP", b"WAVE"):
        return "image" if head[8:12] == b"WEBP" else "audio", riff_texts
    if head.startswith(ID3_MAGIC):
        return "audio", lambda file: id3_texts(file, 0, file.size)
    if head[4:8] == MP4_MAGIC:
        return "video", mp4_texts
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2  # of an MP3 without a tag before it
    return "audio" if is_frame else "unknown", None


def _content(file: Bounded) -> str | None:
    """Return the beginning of a text and, if it is long, its end; None if it isn't UTF-8."""
    try:
        first = file.text(0, file.size)
        if file.size <= LONGEST_TEXT:
            return _utf8(first)
        last = file.read(max(LONGEST_TEXT, file.size - LONGEST_TEXT), min(LONGEST_TEXT, file.size - LONGEST_TEXT))
        return _utf8(_whole_letters(first)) + "\n" + last.decode("utf-8", "ignore")
    except (UnicodeDecodeError, UnreadableError):
        return None


def _whole_letters(data: bytes) -> bytes:
    """Return ``data`` without the character that its end cuts through."""
    begun = next((back for back in range(1, 4) if data[-back] >= 0xC0), 0)
    return data[:-begun] if begun else data


def _utf8(data: bytes) -> str:
    found = data.decode("utf-8")
    if "\x00" in found:
        raise UnicodeDecodeError("utf-8", data, 0, 1, "no text")
    return found


def _checked_text(name: str, digest: str, file: Bounded) -> CheckedFile:
    content = _content(file) or ""
    page = is_page(content)
    explicit = explicit_label(shown_words(content) if page else content)
    why = [text("standard.file.elsewhere")] if explicit == "not_measured" else []
    if page:
        implicit = _implicit_label(meta_texts(content))
    else:
        implicit = _Implicit("not_measured")
        why.append(text("standard.file.no_metadata"))
    told = _told(name, digest, "text", implicit, why)
    return told.model_copy(update={"explicit": explicit})


@dataclass(frozen=True)
class _Implicit:
    """The implicit label of one file, and the fields it lacks."""

    state: LabelState
    lacking: tuple[str, ...] = ()


def _implicit_label(texts: Iterable[tuple[str, str]]) -> _Implicit:
    """Return the best label among (key, text) of a file's metadata: a sound one, else an unreadable one."""
    found = _Implicit("absent")
    for key, written in texts:
        for spelled in _spelled(key, written):
            one = _read(spelled)
            if one.state == "present" and not one.lacking:
                return one
            found = one if one.state == "present" or found.state == "absent" else found
    return found


def _spelled(key: str, written: str) -> Iterator[str]:
    """Yield the values under the key: as its own text, in a JSON object, or in XMP."""
    if key.rpartition(":")[2] == KEY:
        yield written
    elif KEY in written:
        if (inner := _inside(written)) is not None:
            yield inner
        yield from _in_xml(written)


def _in_xml(written: str) -> Iterator[str]:
    at = -1
    for _ in range(MOST_PLACES):
        at = written.find(KEY, at + 1)
        if at < 0:
            return
        match = _IN_XML.match(written[at : at + LONGEST_JSON])
        if match is not None:
            yield html.unescape(next(group for group in match.groups() if group is not None))


def _inside(written: str) -> str | None:
    value = _parsed(written)
    if not isinstance(value, dict) or KEY not in value:
        return None
    inner = value[KEY]
    return inner if isinstance(inner, str) else json.dumps(inner)


def _read(spelled: str) -> _Implicit:
    value = _parsed(spelled)
    if isinstance(value, dict) and isinstance(value.get(KEY), dict):
        value = value[KEY]
    if not isinstance(value, dict) or not value:
        return _Implicit("malformed")
    return _Implicit("present", tuple(name for name in FIELDS if not _is_filled(value.get(name))))


def _is_filled(value: Any) -> bool:
    return (isinstance(value, str) and bool(value.strip())) or (isinstance(value, int) and not isinstance(value, bool))


def _parsed(spelled: str) -> Any:
    if len(spelled) > LONGEST_JSON:
        return None
    try:
        return json.loads(spelled.strip("\ufeff\x00 \t\r\n"))
    except (ValueError, RecursionError):
        return None


NEAR = 200
"""Letters from either end that count as beginning and end; further inside, the place can't be judged."""
_LABEL = re.compile(r"(?<![A-Za-z])(?:人工智能|AI)(?:技术|模型|大模型|辅助)?\s*(?:自动)?(?:生成|合成)")
_DENIED = re.compile(r"(?:非|不是|并非|未经|没有|不含|不由|无)\s*(?:由|经)?\s*$")
_BEGINS = re.compile(r"\s*+(?:<!--[^>]{0,1000}-->\s*+)?<(?:!doctype|html)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\s*+([A-Za-z-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")
_NAME = re.compile(r"/?[A-Za-z]*+")
_SILENT = ("head", "script", "style", "template")


def explicit_label(content: str) -> LabelState:
    """Return ``present`` for a label at either end, ``not_measured`` for one elsewhere, otherwise ``absent``."""
    places = [
        match.start()
        for match in _LABEL.finditer(content)
        if not _DENIED.search(content[max(0, match.start() - 12) : match.start()])
    ]
    stripped = len(content.rstrip())
    if any(place < NEAR or place >= stripped - NEAR for place in places):
        return "present"
    return "not_measured" if places else "absent"


def is_page(content: str) -> bool:
    """Return whether a text is an HTML page."""
    return _BEGINS.match(content) is not None


def shown_words(content: str) -> str:
    """Return a page's text without its elements, and without what is never displayed."""
    return "".join(_pieces(content)).strip()


def meta_texts(content: str) -> Iterator[tuple[str, str]]:
    """Yield (name, content) of the page's meta elements, up to one with an attribute that never ends."""
    at = 0
    while (at := content.find("<meta", at)) >= 0:
        at += len("<meta")
        found: dict[str, str] = {}
        while (one := _ATTRIBUTE.match(content, at)) is not None:
            found[one[1].lower()] = html.unescape(one[2] if one[2] is not None else one[3])
            at = one.end()
        if "name" in found and "content" in found:
            yield found["name"], found["content"]


def _pieces(content: str) -> Iterator[str]:
    """Yield the text before and after each element, up to an element that never ends."""
    at, lowered = 0, content.lower()
    if len(lowered) != len(content):  # lowercasing changes the length of a few letters
        lowered = content
    while (opens := content.find("<", at)) >= 0:
        yield html.unescape(content[at:opens])
        named = _NAME.match(lowered, opens + 1)
        name = named[0] if named else ""
        if name in _SILENT:
            opens = lowered.find(f"</{name}", opens)
        at = content.find(">", opens) + 1 if opens >= 0 else 0
        if at == 0:
            return
    yield html.unescape(content[at:])
