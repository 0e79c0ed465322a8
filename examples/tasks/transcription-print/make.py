"""Prints nameplates in Chinese in two typefaces, unevenly lit. Needs Pillow and the fonts Noto Sans and Serif CJK."""

from __future__ import annotations

import csv
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

CASES = 280
SIZE = (300, 48)
FONTS = Path("/usr/share/fonts/opentype/noto")
TYPEFACES = {"sans": "NotoSansCJK-Regular.ttc", "serif": "NotoSerifCJK-Regular.ttc"}
THINGS = ("水泵", "风机", "变压器", "空压机", "配电柜", "冷却塔", "皮带机", "减速箱", "起重机", "锅炉")
WHERE = ("一号", "二号", "三号", "备用", "东侧", "西侧", "室外", "地下")
MAKES = ("A", "B", "D", "H", "K", "M", "X")


def missing() -> str | None:
    """Return what is not on this machine, if anything."""
    if sys.version_info >= (3, 13):
        return "rapidocr-onnxruntime 1.4.4 is packed for Python up to 3.12"
    if find_spec("PIL") is None:
        return "Pillow is not installed: pip install pillow"
    lacking = [name for name in TYPEFACES.values() if not (FONTS / name).exists()]
    return f"no fonts {', '.join(lacking)}: apt install fonts-noto-cjk" if lacking else None


def write(folder: Path) -> None:
    """Write the images and ``cases.csv``."""
    from PIL import ImageFont

    fonts = {name: ImageFont.truetype(FONTS / file, 26) for name, file in TYPEFACES.items()}
    draw = np.random.default_rng(20260920)
    (folder / "images").mkdir()
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "image", "typeface", "nameplate"))
        for number in range(CASES):
            typeface = str(draw.choice(list(fonts)))
            said = worded(draw)
            name = f"images/{number:04}.npy"
            np.save(folder / name, plate(said, fonts[typeface], draw))
            table.writerow((f"n{number:04}", name, typeface, said))


def worded(draw: np.random.Generator) -> str:
    """Return what a nameplate says: place, thing, type."""
    return f"{draw.choice(WHERE)}{draw.choice(THINGS)}{draw.choice(MAKES)}{draw.integers(10, 1000)}"


def plate(said: str, font: object, draw: np.random.Generator) -> np.ndarray:
    """Return the image of a nameplate, of shape (48, 300)."""
    from PIL import Image, ImageDraw

    image = Image.new("L", SIZE, int(draw.integers(200, 240)))
    place = (int(draw.integers(6, 20)), int(draw.integers(0, 8)))
    ImageDraw.Draw(image).text(place, said, font=font, fill=int(draw.integers(10, 70)))
    light = np.linspace(*draw.uniform(0.9, 1.05, 2), SIZE[0])
    return np.clip(np.asarray(image) * light + draw.normal(0, 4, SIZE[::-1]), 0, 255).astype(np.uint8)
