"""The queue at work: what each kind of job does, and how long what was handed in is kept."""
