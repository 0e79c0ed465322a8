"""Hidden data: sealed at rest, opened only by the scorer process, its budget of unscored cases counted.

    place       view + blobs + keys: what every function works on
    sealing     a hidden set: its stored record, its rows encrypted; opening: its rows, logged beforehand
    attempts    open, deliver (spends α), commit, reveal the order, score, close: the budget
    overlaps    cases that two sets share: spent or held in one, they are not fresh in the other; carrying: at sealing
    envelopes   raw runs, records and public samples of an owner, and secrets of commitments to closed files
    board       a slice of a set for many looks, and the Ladder that lets little out of it
    dataset_files, uploads, canaries, readers    kept files, their arrival, rows of one copy, and the access record

The modules are imported by name; this package re-exports nothing, so that importing one costs no more than it needs.
"""
