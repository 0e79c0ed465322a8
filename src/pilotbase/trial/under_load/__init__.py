"""Load tests: an application receives requests at a fixed pace, and what the results can show."""
