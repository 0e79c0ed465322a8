"""Images and sounds of a table: whatever spells them becomes the same cell, and what cannot be read is told by row."""

import io
import os
import sys
import wave

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pilotbase.data import array_files
from pilotbase.data.array_files import with_arrays
from pilotbase.documents.contract import Field
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.protocols.array_cells import array_bytes, array_in, cell_of

IMAGE, SOUND = Field(name="image", dataType="sc:ImageObject"), Field(name="sound", dataType="sc:AudioObject", rate=8000)
PIXELS = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)


def png(pixels=PIXELS, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def sound(samples, channels=1, width=2):
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels), written.setsampwidth(width), written.setframerate(8000)
        written.writeframes(samples.tobytes())
    return file.getvalue()


def read(cell, field, folder):
    dtype = pl.Binary if isinstance(cell, bytes) else None
    table = pl.DataFrame({field.name: pl.Series([cell], dtype=dtype)})
    return array_in(with_arrays(table, [field], folder)[field.name][0])


def test_a_path_bytes_and_a_cell_give_the_same_pixels(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(png())
    (tmp_path / "a.npy").write_bytes(array_bytes(PIXELS))
    spelled = ("pictures/a.png", "a.npy", png(), array_bytes(PIXELS), cell_of(PIXELS), {"bytes": png(), "path": "x"})
    for cell in spelled:
        np.testing.assert_array_equal(read(cell, IMAGE, tmp_path), PIXELS)


def test_a_grey_image_has_one_channel_and_a_transparent_one_three(tmp_path):
    assert read(png(PIXELS[:, :, 0]), IMAGE, tmp_path).shape == (5, 7, 1)
    clear = np.concatenate([PIXELS, np.full((5, 7, 1), 9, np.uint8)], axis=2)
    assert read(png(clear), IMAGE, tmp_path).shape == (5, 7, 3)
    assert read(png(kind="JPEG"), IMAGE, tmp_path).shape == (5, 7, 3)


def test_channels_of_a_sound_become_their_mean(tmp_path):
    left, right = np.array([100, -200, 300], "<i2"), np.array([300, 200, 100], "<i2")
    np.testing.assert_array_equal(read(sound(left), SOUND, tmp_path), left)
    both = np.column_stack([left, right])
    np.testing.assert_array_equal(read(sound(both, channels=2), SOUND, tmp_path), [200, 0, 200])


def test_what_cannot_be_read_is_told_with_its_row(tmp_path):
    outside = tmp_path.parent / "outside.npy"
    outside.write_bytes(array_bytes(PIXELS))
    (tmp_path / "link.npy").symlink_to(outside)
    (tmp_path / "sound.wav").write_bytes(sound(np.zeros(4, "<i2")))
    os.mkfifo(tmp_path / "pipe.npy")
    cells = [
        None, "missing.png", "../outside.npy", str(outside), "link.npy", "sound.wav", "a.npy", "noarray", "pipe.npy",
    ]  # fmt: skip
    (tmp_path / "a.npy").write_bytes(array_bytes(PIXELS)[:-1])
    with pytest.raises(InputError) as refused:
        with_arrays(pl.DataFrame({"image": cells}), [IMAGE], tmp_path)
    told = [issue.problem.params["row"] for issue in refused.value.issues]
    assert told == list(range(2, len(cells) + 1))
    for language in ("en", "zh"):
        assert "missing.png" in refused.value.render(language)


@pytest.mark.parametrize(
    "data", [b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"x" * 40, b"RIFF1234WAVE", b"\x93NUMPY\x01\x00", b""]
)
def test_broken_bytes_are_no_image(data, tmp_path):
    with pytest.raises(InputError):
        read(data, IMAGE, tmp_path)


def test_an_array_of_objects_is_never_unpickled(tmp_path):
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError):
        read(file.getvalue(), IMAGE, tmp_path)


def test_a_small_file_of_too_many_pixels_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(array_files, "MOST_PIXELS", 30)
    with pytest.raises(InputError) as refused:
        read(png(), IMAGE, tmp_path)
    assert "pixels" in refused.value.issues[0].problem.render("en")


def test_where_no_reader_of_images_is_installed_it_is_said_what_to_install(tmp_path, monkeypatch):
    image = png()
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(PilotbaseError) as refused:
        read(image, IMAGE, tmp_path)
    assert "pillow>=" in refused.value.render("zh")
    np.testing.assert_array_equal(read(array_bytes(PIXELS), IMAGE, tmp_path), PIXELS)
