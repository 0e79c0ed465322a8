"""The queue at work: what each kind of job does, and how long handed-in files are kept."""
