"""Sources: every kind of file or database that holds a table, read in one way, with errors named by their place.

opening     `open_source(place, scratch, asked) -> OpenedSource`    tables, checked whole and not loaded
            `read_table(path, missing) -> DataFrame`                one table in memory
source      `SourceTable`, `ReadOptions`, `Reader`: what a kind of file has to provide
kinds       one file a kind: delimited, parquet, arrow, workbook, json_lines, sqlite, postgres, images
faults      `FileFaults`: all problems of a file at once
spool       rows of any kind as Parquet in a scratch folder: read once, scanned as often as needed

A source is opened whole or not at all: every error in it is found before the first row is given.
"""
