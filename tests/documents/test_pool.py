"""Pools as operators write them: what is read, and everything that is wrong at once, with place and remedy."""

import json

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import build_document
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase_estate.documents.pool import ComputeJob, Pool

POOL = """
document: pool/1
name: hall
title: {en: Hall 2, zh: 二号机房}
machines:
  - {name: node, count: 3, capacity: {cpu: 16, memory: 64 GiB, gpu/t4: 4}, labels: {zone: hall-2}}
  - {name: large, capacity: {cpu: 64, memory: 512 GiB}}
quotas:
  - {organisation: plant, guarantee: {cpu: 70, gpu/t4: 8}, limit: {cpu: 100}, person_limit: {gpu/t4: 4}, weight: 2}
  - {organisation: lab, guarantee: {cpu: 30}}
maintenance:
  - {starts: 2027-01-02T00:00:00+08:00, ends: 2027-01-02T06:00:00+08:00, machines: [node], why: {zh: 更换电源}}
minimum_run: 10 min
longest_job: 36 h
half_life: 2 d
"""


def load(written: str) -> Pool:
    return build_document(Pool, parse_yaml(written.encode(), "pool.yaml"))


def problems(written: str) -> dict[str, tuple[str, int | None]]:
    with pytest.raises(InputError) as caught:
        load(written)
    return {issue.path: (issue.problem.code, issue.line) for issue in caught.value.issues}


def test_a_pool_is_read_as_it_is_written():
    read = load(POOL)
    assert list(read.capacities) == ["node-1", "node-2", "node-3", "large"]
    assert read.capacity == {"cpu": 112_000, "memory": 704 << 30, "gpu/t4": 12_000}
    assert (read.minimum_run, read.longest_job, read.half_life) == (600, 129_600, 172_800)
    assert Pool.from_json_value(json.loads(read.canonical())) == read


def test_everything_that_is_wrong_is_told_at_once():
    broken = (
        POOL.replace("organisation: lab", "organisation: plant")
        .replace("cpu: 70", "cpu: 90")
        .replace("limit: {cpu: 100}", "limit: {cpu: 80}")
        .replace("name: large", "name: node-2")
        .replace("ends: 2027-01-02T06", "ends: 2027-01-01T06")
        .replace("machines: [node]", "machines: [nodes]")
        .replace("minimum_run: 10 min", "minimum_run: 3 d")
    )
    assert problems(broken) == {
        "machines[0].name": ("pool.double_machine", 6),
        "machines[1].name": ("pool.double_machine", 7),
        "quotas[0].organisation": ("pool.double_organisation", 9),
        "quotas[0].limit.cpu": ("pool.guarantee_over_limit", 9),
        "quotas[1].organisation": ("pool.double_organisation", 10),
        "quotas[1].guarantee.cpu": ("pool.guarantees_beyond", 10),
        "maintenance[0].ends": ("pool.window_ends_before", 12),
        "maintenance[0].machines[0]": ("pool.foreign_machine", 12),
        "minimum_run": ("pool.minimum_beyond", 13),
    }


def test_a_guarantee_of_what_is_not_there_says_how_much_there_is():
    with pytest.raises(InputError) as caught:
        load(POOL.replace("gpu/t4: 8", "gpu/h100: 8"))
    (issue,) = caught.value.issues
    assert issue.render("en") == (
        "pool.yaml:9 quotas[0].guarantee.gpu/h100: gpu/h100: the guarantees add up to 8, but the machines have 0: "
        "lower them or add machines, because all guarantees must hold at the same time"
    )
    assert "请减少保障量" in issue.render("zh")


def test_what_is_no_amount_is_told_at_its_place():
    assert problems(POOL.replace("cpu: 70", "cpu: -1")) == {"quotas[0].guarantee": ("compute.bad_amount", 9)}
    assert problems(POOL.replace("weight: 2", "weight: 0")).keys() == {"quotas[0].weight"}


def test_a_pool_has_an_end():
    with pytest.raises(InputError) as caught:
        load(POOL.replace("count: 3", "count: 10000"))
    assert [issue.problem.code for issue in caught.value.issues] == ["pool.too_many_machines"]


def test_a_job_is_read_as_it_is_written():
    written = """
document: compute_job/1
name: train-7
pool: hall
organisation: plant
person: p-li
kind: development
demand: {cpu: 4, memory: 16 GiB, gpu/t4: 1}
members: 2
labels: {zone: hall-2}
max_seconds: 2 h
submitted: 2027-01-01T08:00:00+08:00
"""
    job = build_document(ComputeJob, parse_yaml(written.encode(), "job.yaml"))
    assert (job.max_seconds, job.members, job.preemptible, job.demand.vector["gpu/t4"]) == (7200, 2, True, 1000)
    with pytest.raises(InputError) as caught:
        build_document(ComputeJob, parse_yaml(written.replace("t4: 1", "t4: 1.5").encode(), "job.yaml"))
    assert [issue.problem.code for issue in caught.value.issues] == ["compute.broken_gpu"]
