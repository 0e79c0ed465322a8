"""The tables of the watch: observations, labels, cohorts, states of detectors."""

from __future__ import annotations

from pilotbase.workspace.columns import (
    blobs,
    counts,
    floats,
    index,
    key,
    moments,
    numbers,
    serial,
    table,
    texts,
    unique,
    words,
)

observation_packs = table(
    "observation_packs",
    serial("number"),
    *words(service=63),
    *numbers("cohort", null=True),
    *counts("cases"),
    *moments("first_at", "last_at", "taken_at"),
    *blobs("body", null=True),
    key("number"),
    index("observation_packs_service", "service", "number"),
    index("observation_packs_cohort", "cohort", "number"),
    index("observation_packs_age", "service", "last_at"),
)
"""Cases of one service that came together, column by column, compressed. Null body: erased; null cohort: came late."""

observed_batches = table(
    "observed_batches",
    *blobs("key", "digest"),
    *numbers("pack", null=True),
    key("key"),
    index("observed_batches_pack", "pack"),
    clustered=True,
)
"""The batches taken in: ``key`` is a hash of service and batch, ``digest`` one of its contents."""

observed_cases = table(
    "observed_cases",
    *blobs("key"),
    *numbers("pack"),
    *counts("row"),
    key("key"),
    index("observed_cases_pack", "pack"),
    clustered=True,
)
"""The place of each case; ``key`` is a hash of service and case, and the order in which a cohort is entered."""

label_batches = table(
    "label_batches",
    serial("number"),
    *words(service=63),
    *blobs("key", "digest"),
    *counts("cases", "unknown"),
    *moments("taken_at"),
    key("number"),
    unique("key"),
    index("label_batches_service", "service", "number"),
)

labels = table(
    "labels",
    *blobs("key"),
    *numbers("batch"),
    *texts("value"),
    key("key", "batch"),
    index("labels_batch", "batch"),
    clustered=True,
)
"""Every label that came, as JSON, by the key of its case; the newest counts until the cohort closes."""

watch_cohorts = table(
    "watch_cohorts",
    serial("number"),
    *words(service=63),
    *moments("begins_at"),
    *numbers("seconds"),
    *moments("closes_at"),
    *words(state=8),
    *numbers("cases", "labelled", "labels_to"),
    *numbers("audited", null=True),
    key("number"),
    index("watch_cohorts_span", "service", "begins_at", "seconds", unique=True),
    index("watch_cohorts_due", "state", "closes_at"),
)
"""Spans of cases. Once closed, it takes no case, and no label of a batch after ``labels_to``."""

audit_cases = table("audit_cases", *numbers("cohort"), *blobs("key"), key("cohort", "key"), clustered=True)
"""The cases of a cohort that were drawn to be labelled, by their keys; ``audited`` of the cohort counts them."""

watch_counts = table(
    "watch_counts", *words(service=63, what=40), *numbers("count"), *moments("last_at"), key("service", "what")
)
"""How often something was refused, was repeated, or came too late."""

watches = table(
    "watches",
    *words(service=63, watch=71),
    *counts("armed"),
    *numbers("passes", "read_to"),
    *words(colour=10),
    *moments("ran_at"),
    key("service"),
    index("watches_armed", "armed"),
)
"""The states of a service's detectors: what they have read, their highest colour.

``passes`` counts the writes: a worker that has computed from another state than this writes nothing.
"""

watch_states = table(
    "watch_states",
    *words(service=63, detector=200, signal=20),
    *texts("promise"),
    *blobs("state"),
    *numbers("seen"),
    *words(colour=10),
    *floats("value"),
    *moments("last_at", null=True),
    key("service", "detector"),
)

watch_points = table(
    "watch_points",
    *words(service=63, detector=200, watch=71),
    *numbers("number"),
    *moments("at"),
    *numbers("seen"),
    *floats("value"),
    *words(colour=10),
    key("service", "detector", "watch", "number"),
)
"""What each detector read, pass by pass, of every arming: the path that a page draws."""

watch_means = table(
    "watch_means",
    *words(service=63, detector=200, watch=71),
    *moments("at"),
    *numbers("cases", "labelled"),
    *floats("mean", "accepted"),
    *floats("predicted", null=True),
    key("service", "detector", "watch", "at"),
)
"""The mean loss of each cohort that a detector of risk has entered, and what was accepted; kept for ever."""

warning_levels = table(
    "warning_levels", *words(service=63, detector=200, colour=10, warning=71), key("service", "detector")
)
"""The colour of each detector's newest warning that was reacted to: only a more serious one is raised."""

reactions = table(
    "reactions",
    *words(cause=71, step=80, service=63),
    *counts("place"),
    *moments("done_at"),
    *blobs("outcome"),
    key("cause", "step"),
    index("reactions_of", "service", "done_at"),
)
"""What was done about a cause (the digest of a document), step by step: each once, in the step's own transaction."""

incidents = table(
    "incidents",
    *numbers("number"),
    *words(service=63, state=10, digest=71),
    key("number"),
    index("incidents_of", "service", "state"),
)
"""The newest version of each incident, to be listed."""

incident_clocks = table(
    "incident_clocks",
    *numbers("incident"),
    *words(clock=63),
    *moments("due"),
    *counts("told"),
    key("incident", "clock"),
    index("incident_clocks_due", "told", "due"),
)
"""Running reporting clocks, by the time at which they end; ``told``: whether their end was announced."""
