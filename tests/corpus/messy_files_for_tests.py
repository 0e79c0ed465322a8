"""Messy files: encodings, separators, headers, workbooks, and what is not what its name says."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from pathlib import Path

import polars as pl

from tests.corpus.tables_for_tests import cells, chinese, lines, messy, pumps, saved
from tests.data.sources.sources_for_tests import database
from tests.data.workbooks_for_tests import Error, Formula, write_workbook

# ── encodings and separators ──


@messy("Chinese, GBK | GBK 编码的中文表", "GB18030", r"t\.csv", "--encoding", target="状态")
def _(folder: Path) -> Path:
    return saved(folder, chinese(), encoding="gbk")


@messy("UTF-16 from a spreadsheet | 电子表格导出的 UTF-16", "UTF-16 LE", r"t\.csv", "--encoding")
def _(folder: Path) -> Path:
    return saved(folder, pumps(), encoding="utf-16")


@messy("two encodings in one file | 一个文件两种编码", "two encodings", r"t\.csv:\d+", "Convert this part")
def _(folder: Path) -> Path:
    first = lines(chinese())
    rest = first[1:].copy()
    content = ("\n".join(first) + "\n").encode() + ("\n".join(rest) + "\n").encode("gbk")
    (folder / "t.csv").write_bytes(content)
    return folder / "t.csv"


@messy("Latin-1 | Latin-1 编码", "neither UTF-8 nor GB18030", r"t\.csv:\d+", "--encoding cp1252")
def _(folder: Path) -> Path:
    return saved(folder, pumps(site=lambda *_: "Köln"), encoding="cp1252")


@messy("semicolons and decimal commas | 分号分隔、逗号作小数点", "divided by ;", r"t\.csv", "--separator")
def _(folder: Path) -> Path:
    rows = [{name: str(value).replace(".", ",") for name, value in row.items()} for row in pumps()]
    return saved(folder, lines(rows, ";"))


@messy("full-width commas | 全角逗号分隔", "divided by ，", r"t\.csv", "--separator")
def _(folder: Path) -> Path:
    return saved(folder, lines(pumps(), "，"))


@messy("a row with one cell too many | 某行多一个单元格", "cells, and the header has 4", r"t\.csv:101", "double quotes")
def _(folder: Path) -> Path:
    rows = lines(pumps())
    rows[100] += ",x"
    return saved(folder, rows)


@messy("a quote never closed | 引号未闭合", "double quote is opened", r"t\.csv:51", "Close it")
def _(folder: Path) -> Path:
    rows = lines(pumps())
    rows[50] = rows[50].replace("north", '"north').replace("south", '"south').replace("east", '"east')
    return saved(folder, rows)


@messy("a NUL byte | 含 NUL 字节", "NUL", r"t\.csv:21", "save it again")
def _(folder: Path) -> Path:
    rows = lines(pumps())
    rows[20] = rows[20].replace(".", "\0", 1)
    return saved(folder, rows)


# ── headers and layout ──


@messy("one name twice | 列名重复", "called heat", r"t\.csv:1", "name of its own")
def _(folder: Path) -> Path:
    rows = lines(pumps())
    return saved(folder, [rows[0].replace("site", "heat"), *rows[1:]])


@messy("a column without a name | 有一列没有列名", "no name", r"t\.csv:1: Column 3", "Name each column")
def _(folder: Path) -> Path:
    rows = lines(pumps())
    return saved(folder, [rows[0].replace("site", ""), *rows[1:]])


@messy("no header | 没有表头", "holds values", r"t\.csv:1", "--columns")
def _(folder: Path) -> Path:
    return saved(folder, lines(pumps(site=lambda number, *_: number, state=lambda _, draw, __: draw.randrange(2)))[1:])


@messy("a header and nothing else | 只有表头", "no rows", r"t\.csv", "Add the records")
def _(folder: Path) -> Path:
    return saved(folder, lines(pumps())[:1])


@messy("an empty file | 空文件", "[Nn]othing in it|empty", r"t\.csv", "Give a file with")
def _(folder: Path) -> Path:
    (folder / "t.csv").write_bytes(b"")
    return folder / "t.csv"


@messy("a title above the header | 表头之上有标题", "above the header", r"t\.csv:1", "Delete what stands")
def _(folder: Path) -> Path:
    return saved(folder, ["Pump log 2026,,,", *lines(pumps())])


@messy("notes above the header | 表头之上有注释", "2 lines stand above the header", r"t\.csv:1", "Delete what stands")
def _(folder: Path) -> Path:
    return saved(folder, ["# exported by SCADA", "# zone: CET", *lines(pumps())])


@messy("a row of units under the header | 表头之下有单位行", "units or a second header", r"t\.csv: row 1", "Delete it")
def _(folder: Path) -> Path:
    rows = lines(pumps())
    return saved(folder, [rows[0], "bar,°C,,", *rows[1:]])


@messy("a row of totals at the end | 末尾有合计行", "row of totals", "state is Total", "correct or delete")
def _(folder: Path) -> Path:
    return saved(folder, [*lines(pumps()), "1201.5,14400,,Total"])


@messy(
    "months as columns | 各月份作列",
    "called by numbers or dates",
    r"t\.csv, line 1",
    "a row for each moment",
    target="2026-06",
)
def _(folder: Path) -> Path:
    draw = random.Random(1)
    rows = [
        {"site": f"s{at}", **{f"2026-{month:02}": f"{draw.gauss(5, 1):.1f}" for month in range(1, 7)}}
        for at in range(60)
    ]
    return saved(folder, rows)


# ── workbooks and other kinds of files ──


@messy("a merged header | 表头有合并单元格", "merged", r"t\.xlsx.*(A1|B1)", "Unmerge them")
def _(folder: Path) -> Path:
    rows = pumps()
    write_workbook(folder / "t.xlsx", [["measured", None, "where", "state"], *cells(rows)], merged="A1:B1")
    return folder / "t.xlsx"


@messy("several sheets | 多个工作表", "[Ll]eft out: notes", "cases", "--table")
def _(folder: Path) -> Path:
    write_workbook(folder / "t.xlsx", cells(pumps()), notes=[["who", "when"], ["Li", "May"]])
    return folder / "t.xlsx"


@messy("formulas that nothing computed | 公式未计算", "formula", r"t\.xlsx cases!B2", "Open the workbook")
def _(folder: Path) -> Path:
    sheet = cells(pumps())
    for row in sheet[1:]:
        row[1] = Formula("A2*2")
    write_workbook(folder / "t.xlsx", sheet)
    return folder / "t.xlsx"


@messy("cells that show an error | 单元格显示错误", "#DIV/0!", r"t\.xlsx cases!B2", "Correct the formula")
def _(folder: Path) -> Path:
    sheet = cells(pumps())
    for row in sheet[1:6]:
        row[1] = Error("#DIV/0!")
    write_workbook(folder / "t.xlsx", sheet)
    return folder / "t.xlsx"


@messy("a workbook of the old kind | 旧格式工作簿", "old format|No kind of source", r"t\.xls", r"\.xlsx")
def _(folder: Path) -> Path:
    (folder / "t.xls").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000))
    return folder / "t.xls"


@messy("a web page called .csv | 扩展名为 .csv 的网页", "web page", r"t\.csv", "save it as CSV")
def _(folder: Path) -> Path:
    rows = "".join(f"<tr><td>{row['heat']}</td><td>{row['state']}</td></tr>\n" for row in pumps())
    (folder / "t.csv").write_text(f"<!DOCTYPE html>\n<html><table>\n{rows}</table></html>\n")
    return folder / "t.csv"


@messy("a workbook called .csv | 扩展名为 .csv 的工作簿", "is a workbook", r"t\.csv", "ending that fits")
def _(folder: Path) -> Path:
    write_workbook(folder / "t.csv", cells(pumps()))
    return folder / "t.csv"


@messy("a broken line of JSON | JSON 有一行损坏", "No JSON", r"t\.jsonl:31", "One object a line")
def _(folder: Path) -> Path:
    rows = [json.dumps(row) for row in pumps()]
    rows[30] = rows[30][:-4]
    return saved(folder, rows, "t.jsonl")


@messy("JSON records with other members | JSON 记录的成员不一", "has no value in 67 %", "heat", "--fix gaps:heat")
def _(folder: Path) -> Path:
    rows = [{name: one for name, one in row.items() if name != "heat" or at % 3 == 0} for at, row in enumerate(pumps())]
    return saved(folder, [json.dumps(row) for row in rows], "t.jsonl")


@messy("Parquet cut short | Parquet 文件被截断", "closing mark of Parquet", r"t\.parquet", "copy it anew")
def _(folder: Path) -> Path:
    pl.DataFrame(pumps()).write_parquet(folder / "t.parquet")
    content = (folder / "t.parquet").read_bytes()
    (folder / "t.parquet").write_bytes(content[: len(content) // 2])
    return folder / "t.parquet"


@messy(
    "Parquet with a column of lists | Parquet 中有列表列", "such as lists", r"t\.parquet: curve", "save it as columns"
)
def _(folder: Path) -> Path:
    pl.DataFrame(pumps(curve=lambda number, *_: [number, 2])).write_parquet(folder / "t.parquet")
    return folder / "t.parquet"


@messy("a database of two tables | 数据库有两张表", "several tables", "pumps, sites", "--table")
def _(folder: Path) -> Path:
    values = ", ".join(f"({row['pressure']}, {row['heat']}, '{row['site']}', '{row['state']}')" for row in pumps())
    return database(
        folder / "t.sqlite",
        "create table pumps (pressure real, heat real, site text, state text)",
        f"insert into pumps values {values}",
        "create table sites (site text, town text)",
        "insert into sites values ('north', 'Ulm')",
    )


@messy("an archive of two files | 压缩包有两个文件", "2 files", r"t\.zip", "Unpack it")
def _(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "t.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, "\n".join(lines(pumps())))
    return folder / "t.zip"


@messy("an archive cut short | 压缩包被截断", "cannot be unpacked", r"t\.csv\.gz", "Copy it anew")
def _(folder: Path) -> Path:
    packed = gzip.compress("\n".join(lines(pumps())).encode())
    (folder / "t.csv.gz").write_bytes(packed[: len(packed) // 2])
    return folder / "t.csv.gz"
