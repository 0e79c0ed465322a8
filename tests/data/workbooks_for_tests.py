"""Workbooks written cell by cell, for tests of what reads them."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass(frozen=True)
class Formula:
    """A cell that is computed; without a value nothing has computed it yet."""

    formula: str
    value: float | None = None


@dataclass(frozen=True)
class Error:
    """A cell that shows an error."""

    shown: str


def write_workbook(
    path: Path, rows: list[list[object]], merged: str = "", far: str = "", **further: list[list[object]]
) -> None:
    """Write the sheet ``cases`` and ``further`` ones; a tuple of one number is a date cell; ``far``: further XML."""
    sheets = {"cases": rows} | further
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", _types(len(sheets)))
        archive.writestr("_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")]))
        listed = "".join(f'<sheet name="{name}" sheetId="{at + 1}" r:id="r{at}"/>' for at, name in enumerate(sheets))
        book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>{listed}</sheets></workbook>'
        archive.writestr("xl/workbook.xml", book)
        parts = [("worksheet", f"worksheets/sheet{at + 1}.xml") for at in range(len(sheets))]
        archive.writestr("xl/_rels/workbook.xml.rels", _relations([*parts, ("styles", "styles.xml")]))
        formats = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs>'
        archive.writestr("xl/styles.xml", f'<styleSheet xmlns="{_MAIN}">{formats}</styleSheet>')
        cells = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
        for at, content in enumerate(sheets.values()):
            data = "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in content)
            data += far
            sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{data}</sheetData>{cells}</worksheet>'
            archive.writestr(f"xl/worksheets/sheet{at + 1}.xml", sheet)


def _cell(value: object) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, Formula):
        return f"<c><f>{value.formula}</f>" + ("" if value.value is None else f"<v>{value.value}</v>") + "</c>"
    if isinstance(value, Error):
        return f'<c t="e"><v>{value.shown}</v></c>'
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    if isinstance(value, tuple):
        return f'<c s="1"><v>{value[0]}</v></c>'
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def _relations(parts: list[tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="r{index}" Type="{_DOCUMENT}/{kind}" Target="{target}"/>'
        for index, (kind, target) in enumerate(parts)
    )
    return f'<Relationships xmlns="{_RELATIONS}">{entries}</Relationships>'


def _types(sheets: int) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{at + 1}.xml" ContentType="{kind}.worksheet+xml"/>'
            for at in range(sheets)
        )
        + "</Types>"
    )
