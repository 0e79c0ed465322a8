"""Reading traces: both forms, every broken row with its place, organisations that are made up the same every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError
from pilotbase_estate.replay.traces import TraceFormat, read_trace

NODES = "node,cpu,memory,gpu/t4\na,4,8 GiB,2\nb,2,4 GiB,\n"
JOBS = (
    "job,organisation,submitted_seconds,runs_seconds,longest_seconds,members,cpu,gpu/t4\n"
    "late,mill,20,5,,1,1.5,0.25\nearly,port,10,7,60,2,1,\n"
)


def _files(folder: Path, jobs: str, nodes: str = NODES) -> tuple[Path, Path]:
    (folder / "jobs.csv").write_text(jobs, encoding="utf-8")
    (folder / "nodes.csv").write_text(nodes, encoding="utf-8")
    return folder / "jobs.csv", folder / "nodes.csv"


def test_a_trace_of_our_own_form_is_read_in_the_order_of_submission(tmp_path: Path) -> None:
    trace = read_trace(*_files(tmp_path, JOBS))
    assert trace.nodes == {"a": {"cpu": 4000, "memory": 8 << 30, "gpu/t4": 2000}, "b": {"cpu": 2000, "memory": 4 << 30}}
    early, late = trace.jobs
    assert (early.name, early.organisation, early.members, early.longest) == ("early", "port", 2, 60)
    assert (late.demand, late.longest) == ({"cpu": 1500, "gpu/t4": 250}, None)
    assert not trace.made_up_organisations


def test_a_trace_of_the_public_form_is_read(tmp_path: Path) -> None:
    jobs = (
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
        "p0,12000,16,1,460,,LS,Running,5,100,10\np1,1000,16,0,0,,LS,Running,6,7,6\n"
    )
    nodes = "sn,cpu_milli,memory_mib,gpu,model\nn0,64000,128,2,P100\n"
    trace = read_trace(*_files(tmp_path, jobs, nodes), TraceFormat(organisations=2))
    assert trace.nodes == {"n0": {"cpu": 64000, "memory": 128 << 20, "gpu/p100": 2000}}
    first, second = trace.jobs
    assert (first.submitted, first.runs, first.demand["gpu/any"]) == (5, 90, 460)
    assert "gpu/any" not in second.demand
    assert trace.made_up_organisations


def test_the_kind_of_gpu_that_a_public_row_names_is_read_and_one_of_several_is_told_as_broken(tmp_path: Path) -> None:
    jobs = (
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time\n"
        "p0,1000,16,1,460,P100,5,100\np1,1000,16,1,1000,P100|T4,6,70\np2,1000,16,0,0,T4,6,70\n"
    )
    files = _files(tmp_path, jobs, "sn,cpu_milli,memory_mib,gpu,model\nn0,64000,128,2,P100\n")
    with pytest.raises(InputError) as refused:
        read_trace(*files)
    assert [(issue.line, issue.path) for issue in refused.value.issues] == [(3, "gpu_spec")]
    first, last = read_trace(*files, TraceFormat(skip_broken=True)).jobs
    assert first.demand["gpu/p100"] == 460 and "gpu/any" not in first.demand
    assert not any(name.startswith("gpu/") for name in last.demand)


def test_made_up_organisations_are_the_same_every_time_and_the_first_has_the_most(tmp_path: Path) -> None:
    rows = "".join(f"j{number},{number},1,1\n" for number in range(900))
    files = _files(tmp_path, "job,submitted_seconds,runs_seconds,cpu\n" + rows)
    owners = [job.organisation for job in read_trace(*files, TraceFormat(organisations=3)).jobs]
    assert owners == [job.organisation for job in read_trace(*files, TraceFormat(organisations=3)).jobs]
    counts = [owners.count(f"org-{number}") for number in (1, 2, 3)]
    assert counts == pytest.approx([491, 245, 164], abs=45)


BROKEN = {
    ",mill,1,1,,1,1,": "job",
    "a,mill,-1,1,,1,1,": "submitted_seconds",
    "a,mill,1,soon,,1,1,": "runs_seconds",
    "a,mill,1,nan,,1,1,": "runs_seconds",
    "a,mill,1,1,,0,1,": "members",
    "a,mill,1,1,,1,-2,": "cpu",
    "a,mill,1,1,,1,1,1.5": "gpu/t4",
    "a,mill,1,1,,1,1,0,extra": "",
}


def test_every_broken_row_is_named_with_its_line_and_column(tmp_path: Path) -> None:
    files = _files(tmp_path, JOBS + "\n".join(BROKEN) + "\n")
    with pytest.raises(InputError) as refused:
        read_trace(*files)
    assert [issue.line for issue in refused.value.issues] == [4 + number for number in range(len(BROKEN))]
    assert [issue.path for issue in refused.value.issues] == list(BROKEN.values())
    assert "more than one GPU" in refused.value.issues[6].render("en")


def test_broken_rows_are_passed_over_when_asked_and_counted(tmp_path: Path) -> None:
    trace = read_trace(*_files(tmp_path, JOBS + "\n".join(BROKEN) + "\n"), TraceFormat(skip_broken=True))
    assert [job.name for job in trace.jobs] == ["early", "late"]
    assert trace.rows_left_out == len(BROKEN)


@pytest.mark.parametrize(
    ("jobs", "nodes", "code"),
    [
        ("a,b\n1,2\n", NODES, "compute.trace_columns"),
        (JOBS, "host,cpu\na,1\n", "compute.trace_columns"),
        (JOBS.split("\n")[0] + "\n", NODES, "compute.trace_empty"),
        (JOBS, NODES.split("\n")[0] + "\n", "compute.trace_empty"),
        ("", NODES, "compute.trace_columns"),
    ],
)
def test_what_is_no_trace_is_refused(jobs: str, nodes: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_trace(*_files(tmp_path, jobs, nodes))
    assert refused.value.code == code


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    jobs, nodes = _files(tmp_path, JOBS)
    jobs.write_bytes(JOBS.encode() + b"\xff\xfe")
    with pytest.raises(InputError) as refused:
        read_trace(jobs, nodes)
    assert refused.value.code == "compute.trace_unreadable"
