"""Logs as Inspect AI writes them, with as much as is read; `tests.trial.test_inspect_itself` has it write some."""

import io
import json
import struct
import zipfile
import zlib

ZSTANDARD = 93


def sample(name, epoch=1, scores=None, **more):
    """Return a run of a sample; ``scores``: scorer → value."""
    return {
        "id": name,
        "epoch": epoch,
        "input": f"What does meter {name} say?",
        "target": "4.2 bar",
        "messages": [{"role": "user", "content": "…"}],
        "output": {"model": "mockllm/model", "completion": "It says 4.2 bar."},
        "scores": {scorer: {"value": value, "history": []} for scorer, value in (scores or {}).items()},
        "metadata": {"site": "north" if len(str(name)) % 2 else "south", "nested": {"a": 1}},
        **more,
    }


def header(samples, epochs=1, **more):
    names = list(dict.fromkeys(one["id"] for one in samples))
    evaluated = {
        "task": "meters",
        "model": "mockllm/model",
        "dataset": {"samples": len(names), "sample_ids": names},
        "config": {"epochs": epochs},
    }
    return {"version": 2, "status": "success", "eval": {**evaluated, **more}}


def as_json(folder, samples, **more):
    path = folder / "log.json"
    path.write_text(json.dumps({**header(samples, **more), "samples": samples}))
    return path


def as_eval(folder, samples, packed=zipfile.ZIP_DEFLATED, **more):
    """Return an archive; ``packed``: 93 is what Inspect uses today."""
    members = {"_journal/start.json": "{}", "summaries.json": "[]"}
    members |= {f"samples/{one['id']}_epoch_{one['epoch']}.json": json.dumps(one) for one in samples}
    members["header.json"] = json.dumps(header(samples, **more))
    path = folder / "log.eval"
    if packed == ZSTANDARD:
        path.write_bytes(zstandard_zip({name: content.encode() for name, content in members.items()}))
        return path
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def zstandard_zip(members):
    """Return a zip archive by hand: Python 3.11 to 3.13 packs nothing with Zstandard."""
    import zstandard

    archive, directory = io.BytesIO(), io.BytesIO()
    for name, content in members.items():
        packed = zstandard.ZstdCompressor().compress(content)
        sizes = (zlib.crc32(content), len(packed), len(content), len(name))
        fields = (20, 0, ZSTANDARD, 0, 0x21, *sizes, 0)
        directory.write(struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, archive.tell()))
        directory.write(name.encode())
        archive.write(struct.pack("<4s5H3I2H", b"PK\x03\x04", *fields) + name.encode() + packed)
    place, count = archive.tell(), len(members)
    archive.write(directory.getvalue())
    archive.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory.getvalue()), place, 0))
    return archive.getvalue()
