"""Quality of data: a contract's rules and every measure compiled into one streaming pass, then graded for a purpose.

A table's way through this room::

    dataset = load_description(path).description.require()         # or inferred_dataset(file)
    report = measure_quality(dataset, {"readings": file}, Held(reference, folder))
    report = released(report, dataset)                             # what its level of opening allows
    write_report(report, folder)                                   # quality.json, quality.html

columns     fields as lazy expressions: the stored text, and its value in the declared type
checks      rules of the contract as counts; those on keys, uniqueness and references as groups of equal rows
measures    one file a family; each says what it needs from the passes and what it concludes (`definition`)
measuring   the first pass over all counts; small tables; `tally`: groups of equal rows, partitioned on disk
profiling   figures and distributions of each field; hidden or later rows, for drift; what a purpose requires
release     what of a report on closed data leaves its owner's hands; a file measured on the spot
page        the report as one HTML file in both languages
"""
