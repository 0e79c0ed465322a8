"""Spreadsheets of strangers: read in a box, whatever they hold; formulas are named, never computed."""

import io
import zipfile

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.sandbox.box.sheets import MAXIMUM_ROWS, read_sheet

WORKBOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>'
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
SHARED = (
    '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<si><t>name</t></si><si><r><t>江滨</t></r><r><t>医院</t></r></si></sst>"
)
ROWS = (
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>number</t></is></c></row>'
    '<row r="4"><c r="A4" t="s"><v>1</v></c><c r="C4"><v>30</v></c></row>'
    '<row r="5"><c r="A5" t="str"><f>1+1</f><v>2</v></c><c r="C5"><v>0.5</v></c></row>'
)


def workbook(rows=ROWS, **parts):
    packed = io.BytesIO()
    members = {
        "xl/workbook.xml": WORKBOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/sharedStrings.xml": SHARED,
        "xl/worksheets/sheet1.xml": SHEET.format(rows),
        **parts,
    }
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)
    return packed.getvalue()


def read(tmp_path, content):
    file, scratch = tmp_path / "sheet", tmp_path / "scratch"
    file.write_bytes(content)
    scratch.mkdir(exist_ok=True)
    try:
        return read_sheet(file, scratch)
    finally:
        assert list(scratch.iterdir()) == []


def code(tmp_path, content):
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    for language in ("en", "zh"):
        assert caught.value.render(language)
    return caught.value.code


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("gb18030", "GB18030")]
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_in_the_encodings_and_separators_of_spreadsheet_programs(tmp_path, encoding, told, separator):
    content = f'简称{separator}名称\r\n\r\nriver{separator}"江滨{separator}医院"\r\n'.encode(encoding)
    sheet = read(tmp_path, content)
    assert (sheet.encoding, sheet.header) == (told, ("简称", "名称"))
    assert [(row.number, row.cells) for row in sheet.rows] == [(3, ("river", f"江滨{separator}医院"))]


def test_the_first_sheet_of_a_workbook_by_the_numbers_of_its_rows(tmp_path):
    sheet = read(tmp_path, workbook())
    assert sheet.header == ("name", "", "number")
    assert [(row.number, row.cells) for row in sheet.rows] == [(4, ("江滨医院", "", "30")), (5, ("2", "", "0.5"))]
    assert [sorted(row.formulas) for row in sheet.rows] == [[], [0]]


def test_what_a_spreadsheet_takes_for_a_formula_is_named(tmp_path):
    sheet = read(tmp_path, b"a,b,c,d\n=1+1,@x,-5,+86\n-cmd|' /C calc'!A0,plain,-,\t=x\n")
    assert [sorted(row.formulas) for row in sheet.rows] == [[0, 1], [0, 2, 3]]


def test_ten_thousand_rows_and_no_more(tmp_path):
    rows = "".join(f"org-{number},Organisation {number}\n" for number in range(MAXIMUM_ROWS))
    assert len(read(tmp_path, f"name,title\n{rows}".encode()).rows) == MAXIMUM_ROWS
    assert code(tmp_path, f"name,title\n{rows}one,more\n".encode()) == "imports.rows"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + SHEET.format("&b;")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "imports.empty"),
        (b"name\n\n\n", "imports.empty"),
        (b"name\n\xff\xff\n", "imports.encoding"),
        (b"name\nx\x00y\n", "imports.damaged"),
        (b'name\n"open\n', "imports.damaged"),
        (b"PK\x03\x04 nothing", "imports.damaged"),
        (workbook()[:400], "imports.damaged"),
        (workbook(**{"xl/workbook.xml": None}), "imports.damaged"),
        (workbook(**{"xl/worksheets/sheet1.xml": BOMB}), "imports.damaged"),
        (workbook('<row r="1"><c r="A1" t="s"><v>99</v></c></row>'), "imports.damaged"),
        (workbook('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'), "imports.columns"),
        (lambda: workbook(**{"xl/sharedStrings.xml": "x" * (65 << 20)}), "imports.large"),
        (b"name," * 60 + b"\nx\n", "imports.columns"),
        (b"name\n" + b"x" * 3000 + b"\n", "imports.cell"),
        (lambda: b"x" * ((16 << 20) + 1), "imports.large"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(tmp_path, content, expected):
    assert code(tmp_path, content() if callable(content) else content) == expected
