"""What a box may use: every limit has a default, a unit in its name, and its own end reason."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from pilotbase.documents.base import Part
from pilotbase.documents.quantities import MOST_SECONDS, Bytes, Seconds


class IsolationLevel(StrEnum):
    """Isolation levels; see docs/security.md. A level is probed on the host and never quietly lowered."""

    L0 = "L0"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


class Limits(Part):
    """Limits of one box."""

    memory_bytes: Bytes = Field(default=1 << 30, ge=64 << 20)
    """Resident memory of the whole box, scratch and shared memory included."""
    cpu_seconds: int = Field(default=600, ge=1, le=100 * MOST_SECONDS)
    wall_seconds: Seconds = Field(default=900, gt=0)
    load_seconds: Seconds = Field(default=60, gt=0)
    """From start until the application has been imported and is ready."""
    batch_seconds: Seconds = Field(default=30, gt=0)
    processes: int = Field(default=64, ge=1, le=32_768)
    threads: int = Field(default=1, ge=1, le=1024)
    """Numerical threads that the runner allows (OMP_NUM_THREADS and kin)."""
    scratch_bytes: Bytes = Field(default=64 << 20, ge=1 << 20)
    file_bytes: Bytes = Field(default=64 << 20, ge=1 << 20)
    log_bytes: Bytes = Field(default=64 << 10, ge=0)
    """How much of standard output and error is kept; the rest is read, counted and dropped."""


class EndReason(StrEnum):
    """Why a box ended; each is shown to the supplier in words (text ``box.end.<reason>``)."""

    FINISHED = "finished"
    LOAD_FAILED = "load_failed"
    MODEL_UNREADABLE = "model_unreadable"
    MODEL_TOO_NEW = "model_too_new"
    MODEL_REFUSED = "model_refused"
    MODEL_MISFIT = "model_misfit"
    LOAD_TIMEOUT = "load_timeout"
    BATCH_TIMEOUT = "batch_timeout"
    WALL_LIMIT = "wall_limit"
    CPU_LIMIT = "cpu_limit"
    MEMORY_LIMIT = "memory_limit"
    PROCESS_LIMIT = "process_limit"
    SCRATCH_LIMIT = "scratch_limit"
    OUTPUT_FLOOD = "output_flood"
    APPLICATION_ERROR = "application_error"
    APPLICATION_EXIT = "application_exit"
    WRONG_COUNT = "wrong_count"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_CLASS = "unknown_class"
    OUT_OF_RANGE = "out_of_range"
    WRONG_SUM = "wrong_sum"
    OVERSIZED_ANSWER = "oversized_answer"
    BROKEN_PROTOCOL = "broken_protocol"
    ENDPOINT_UNREACHABLE = "endpoint_unreachable"
    ENDPOINT_REFUSED = "endpoint_refused"
    ENDPOINT_BUSY = "endpoint_busy"
    ENDPOINT_TIMEOUT = "endpoint_timeout"
    ENDPOINT_BROKEN_ANSWER = "endpoint_broken_answer"
    ENDPOINT_REDIRECT = "endpoint_redirect"
    CANCELLED = "cancelled"
