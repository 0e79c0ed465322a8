"""Sources: every kind of file or database that holds a table, read in one way, with what is wrong named by its place.

opening     `open_source(place, scratch, asked) -> OpenedSource`    tables, checked whole and not loaded
            `read_table(path, missing) -> DataFrame`                one table in memory
source      `SourceTable`, `ReadOptions`, `Reader`: what a kind of file has to give
kinds       one file a kind: delimited, parquet, arrow, workbook, json_lines, sqlite, postgres, images
faults      `FileFaults`: all problems of a file at once
spool       rows of whatever kind as Parquet in a scratch folder: read once, scanned as often as needed

A source is opened whole or not at all: what is wrong anywhere in it is found before the first row is given.
"""
