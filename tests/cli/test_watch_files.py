"""What is sent of a file to a hub: batches that are small enough, named alike each time, with nothing lost."""

import json
from datetime import UTC, datetime

from pilotbase.cli.watch_files import sendable
from pilotbase.documents.observation import LabelBatch
from pilotbase.watch.packs import Pack, PackedBatch, joined, microseconds, packed

AT = microseconds(datetime(2027, 5, 1, 12, tzinfo=UTC))
PACK = Pack(
    ids=[f"c{row}" for row in range(200)],
    at=[AT + row % 2 for row in range(200)],
    milliseconds=[12.5] * 200,
    versions=[None] * 200,
    ends=["answered"] * 100 + ["failed"] * 100,
    inputs={"word": ["轴" * 20] * 200, "x": [float(row) for row in range(200)]},
    answers=["fine"] * 100 + [None] * 100,
)


def test_every_case_is_sent_once_as_it_was_in_batches_that_are_small_enough():
    sent = list(sendable(PackedBatch("milling", "f-0", PACK), 3000))
    assert max(len(json.dumps(one.to_json_value())) for one in sent) <= 3000
    assert len({one.batch for one in sent}) == len(sent) > 4
    whole = joined([packed(one).pack for one in sent])
    assert {case: whole.row(row) for row, case in enumerate(whole.ids)} == {
        case: PACK.row(row) for row, case in enumerate(PACK.ids)
    }
    assert sent == list(sendable(PackedBatch("milling", "f-0", PACK), 3000))
    assert [one.batch for one in sendable(PackedBatch("milling", "f-0", PACK), 1 << 20)] == [
        f"f-0-{group}" for group in range(4)
    ]


def test_labels_are_halved_too_and_null_still_takes_one_back():
    labels = {f"c{row}": None if row % 2 else "broken" for row in range(50)}
    batch = LabelBatch(service="milling", batch="x" * 100, labels=labels)
    assert list(sendable(batch, 1 << 20)) == [batch]
    sent = [LabelBatch.model_validate_json(json.dumps(one.to_json_value())) for one in sendable(batch, 400)]
    assert len({one.batch for one in sent}) == len(sent) > 2
    assert {case: value for one in sent for case, value in one.labels.items()} == labels
