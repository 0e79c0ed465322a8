"""Labels of generated content are found in real files of four media, and hostile files end in words, soon."""

import struct
import time
import zlib
from datetime import UTC, datetime
from functools import reduce

import pytest

from pilotbase.standards.ai_labels.checking import check_file, explicit_label, files_of, record_of
from tests.standards import label_files as made

MEDIA = {
    "html": "text",
    "png": "image",
    "jpg": "image",
    "webp": "image",
    "wav": "audio",
    "mp3": "audio",
    "mp4": "video",
}
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def check(tmp_path, name, data):
    file = tmp_path / name
    file.write_bytes(data)
    return check_file(file, name)


@pytest.mark.parametrize("name", made.WITH)
def test_a_label_is_found_wherever_the_format_keeps_it(name, tmp_path):
    found = check(tmp_path, name, made.WITH[name](made.SOUND))
    assert (found.medium, found.implicit, found.lacking) == (MEDIA[name.partition(".")[2]], "present", ())
    assert found.explicit == ("present" if name.endswith("html") else "not_measured")


@pytest.mark.parametrize("name", made.WITH)
def test_a_wrong_label_is_none(name, tmp_path):
    assert check(tmp_path, name, made.WITH[name]('{"Label": ')).implicit in ("malformed", "absent")
    lacking = check(tmp_path, name, made.WITH[name]('{"Label": "1", "ProduceID": " "}'))
    assert (lacking.implicit, lacking.lacking) == ("present", ("ContentProducer", "ProduceID"))


@pytest.mark.parametrize("name", made.WITHOUT)
def test_no_label_is_said_to_be_absent(name, tmp_path):
    found = check(tmp_path, name, made.WITHOUT[name])
    assert (found.medium, found.implicit) == (MEDIA[name.partition(".")[2]], "absent")


@pytest.mark.parametrize("name", made.WITH)
def test_a_file_cut_off_anywhere_ends_in_words_and_never_gains_a_label(name, tmp_path):
    whole = made.WITH[name](made.SOUND)
    for length in {*range(0, len(whole), 7), len(whole) - 1}:
        found = check(tmp_path, name, whole[:length])
        assert found.implicit in ("absent", "unreadable", "malformed", "not_measured", "present")
        if found.implicit == "unreadable":
            assert all(one.render(language) for one in found.why for language in ("en", "zh"))


RING = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
SHARED = struct.pack("<H", 900) + struct.pack("<HHII", 0x010E, 2, 60_000, 0) * 900


def with_exif(directories):
    return made.jpeg((b"\xe1", b"Exif\x00\x00II*\x00" + struct.pack("<I", 8) + directories))


def with_wrong_checksum():
    wrong = bytearray(made.png_text(made.SOUND))
    wrong[-13] ^= 1  # of the text's checksum
    return bytes(wrong)


def movie(*parts):
    return made.box(b"ftyp", b"isom") + b"".join(parts)


BOMBS = {
    "huge-chunk.png": ("cut_off", lambda: made.png()[:8] + b"\xff\xff\xff\xffIHDR"),
    "swelling.png": (
        "too_much",
        lambda: made.png(*[(b"zTXt", b"AIGC\x00\x00" + zlib.compress(bytes(10**7)))] * 200),
    ),
    "many.png": ("too_many_parts", lambda: made.png(*[(b"tEXt", b"a\x00b")] * 110_000)),
    "no-length.jpg": ("bad_part", lambda: b"\xff\xd8\xff\xe1\x00\x00"),
    "fill.jpg": ("too_many_parts", lambda: b"\xff\xd8" + b"\xff" * 10**6),
    "checksum.png": ("bad_part", with_wrong_checksum),
    "ring.jpg": ("", lambda: with_exif(RING)),
    "shared.jpg": ("bad_exif", lambda: with_exif(SHARED + bytes(50_000))),
    "beyond.wav": ("bad_part", lambda: made.wav((b"LIST", b"INFOICMT\xff\xff\xff\xff"))),
    "beyond.mp3": ("bad_part", lambda: b"ID3\x04\x00\x00" + made.safe(1 << 27)),
    "frame.mp3": (
        "bad_part",
        lambda: b"ID3\x03\x00\x00" + made.safe(60) + b"TXXX\xff\xff\xff\xff\x00\x00" + bytes(50),
    ),
    "deep.mp4": ("too_deep", lambda: movie(reduce(lambda inner, _: made.box(b"moov", inner), range(40), b""))),
    "tiny.mp4": ("bad_part", lambda: movie(struct.pack(">I", 4), b"moov")),
    "wide.mp4": ("bad_part", lambda: movie(struct.pack(">I", 1), b"moov", struct.pack(">Q", 1 << 63))),
    "many.mp4": ("too_many_parts", lambda: movie(made.box(b"free") * 110_000)),
    "opened.html": ("", lambda: b"<!doctype html>" + b"<meta name='AIGC' " * 20_000),
    "open-script.html": ("", lambda: b"<!doctype html>" + b"<script " * 40_000),
    "quoted.png": ("", lambda: made.png((b"iTXt", b"XML\x00\x00\x00\x00\x00" + b'AIGC="' * 40_000))),
    "nested.png": ("", lambda: made.png_text("[" * 60_000)),
    "ai.txt": ("no_metadata", lambda: b"AI" * 100_000 + "生成".encode()),
}
"""Name → what ends it, file: a reader that believes what it is told would take minutes, or all memory."""


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_file_ends_soon_and_has_no_label(name, tmp_path):
    code, make = BOMBS[name]
    data = make()
    began = time.process_time()
    found = check(tmp_path, name, data)
    assert time.process_time() - began < 1.5
    assert found.implicit != "present"
    told = [one.code for one in found.why if "needs" not in one.code]
    assert told == ([f"standard.file.{code}"] if code else [])


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ("本文由人工智能生成。\n正文", "present"),
        ("正文\n（AI生成，仅供参考）", "present"),
        ("AI 合成内容", "present"),
        ("这段文字并非AI生成。", "absent"),
        ("非人工智能生成", "absent"),
        ("Generated by a person; MAI生成", "absent"),
        ("字" * 500 + "AI生成" + "字" * 500, "not_measured"),
        ("", "absent"),
    ],
)
def test_the_label_of_a_text_stands_at_either_end(content, state):
    assert explicit_label(content) == state


def test_what_is_no_medium_is_not_measured(tmp_path):
    assert check(tmp_path, "a.bin", bytes(range(256))).implicit == "not_measured"
    plain = check(tmp_path, "a.txt", "本文由AI生成".encode())
    assert (plain.medium, plain.explicit, plain.implicit) == ("text", "present", "not_measured")


def test_records_count_what_each_check_is_about(tmp_path):
    folder = tmp_path / "made"
    (folder / "in").mkdir(parents=True)
    (folder / "a.png").write_bytes(made.png_text(made.SOUND))
    (folder / "in" / "b.png").write_bytes(made.png_text('{"Label": "1"}'))
    (folder / "c.wav").write_bytes(made.wav())
    (folder / "d.txt").write_bytes("AI生成".encode())
    (folder / "link.png").symlink_to(folder / "a.png")
    files = [check_file(path, name) for name, path in files_of([folder])]
    assert [one.name for one in files] == ["a.png", "c.wav", "d.txt", "in/b.png"]
    kinds = ("label-check", "label-fields-check", "text-label-check")
    records = [record_of(kind, files, NOW, "pilotbase test") for kind in kinds]
    assert [(one.sample, one.passed) for one in records] == [(3, 2), (3, 1), (1, 1)]
    assert [one.record for one in records[0].as_evidence()] == [records[0].digest()]
    assert record_of("text-label-check", files[:1], NOW, "pilotbase test") is None
