"""Data: tables of a scenario, from the file to public sample, hidden set and arrays.

conform     `conform(table, scenario) -> DataFrame`        typed by the scenario's fields, all problems at once
splits      `split_cases(frame, scenario) -> Split(public, hidden)`
column_types `classes_of(public, scenario) -> tuple[str, ...]`      sorted; () for regression
batches     `feature_columns(frame, contract) -> dict[str, ndarray]`   for `protocols.frames.FeatureBatch`
            `truth_codes(frame, scenario, classes) -> ndarray`      int32 codes, or float64 values
baselines   `baseline_answers(scenario, frame, classes) -> ndarray | None`  None: an application, to be run
            `people_answers(scenario, frame, classes) -> ndarray | None`
rules       `evaluate_rule(rule, frame) -> ndarray[bool]`, `compile_rule(rule, columns)`
leakage     `check_leakage(public, hidden, scenario) -> Leakage(checks, outcome)`
sources     `open_source(place, scratch, asked) -> OpenedSource`      every kind of table, checked whole, scanned lazily
            `read_table(path, missing=("",)) -> DataFrame`        one table in memory
describing  `describing(places, out, asked)`      a dataset's description from its files, for its owner
quality     `measure_quality(dataset, files, held) -> QualityReport`  rules, measures, grade, at any size
suspects    `suspects_of(table, record_set) -> tuple[Suspect, ...]`             faults that nobody declared, in a sample
source_cases `reading_cases(place) -> CaseSource`      the cases for drafts, and their file; read once
drafting    `draft_scenario(path, answers) -> ScenarioDraft`     six answers make a scenario
scenario_yaml `write_scenario_yaml(scenario) -> str`
packages    `fetch_package(...) -> Path`, `open_member(archive, member) -> bytes`

The steps for a table: ``split_cases(conform(read_table(path, scenario.data.missing), scenario), scenario)``.
"""
