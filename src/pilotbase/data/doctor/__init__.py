"""The data doctor: what an owner should know of the cases before anybody is tried on them, each with its remedy."""

from pilotbase.data.doctor.examining import (
    Examination,
    ExaminedColumn,
    Remark,
    RemarkGroup,
    examine,
    grouped,
    remark_on_gap,
)

__all__ = ["Examination", "ExaminedColumn", "Remark", "RemarkGroup", "examine", "grouped", "remark_on_gap"]
