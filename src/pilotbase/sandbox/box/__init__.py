"""The box in which hostile code answers batches, and the environments it runs in.

warm_worker.start_worker(application, form, contract, environment, settings) -> WarmWorker   (context manager)
    .predict(FeatureBatch) -> AnswerBatch    raises InputError (batch does not fit), BoxEnded (.reason, .detail, .end)
    .usage() -> Usage                   wall_seconds, cpu_seconds, memory_peak_bytes of the whole box
    .logs() -> Logs                     text, dropped_bytes, withheld
    .facts -> BoxFacts                  level, start, memory_watch, uid, start_seconds
    .load_seconds, .end, .close(reason)
settings.BoxSettings(limits, level, uid, logs: LogPolicy, …)
environments.build_environment(lock: bytes, file: str, cache: Path, settings) -> Environment   (digest, path, packages)
probe.probe_host() -> HostProbe;  probe.require_level(level, probe)                            raises RefusedError
ends.BoxEnded, ends.END_TEXTS;    box.BoxStartError
protocols.frames: FeatureBatch(columns, rows), .from_matrix(names, matrix); AnswerBatch(values).labels(classes)
"""
