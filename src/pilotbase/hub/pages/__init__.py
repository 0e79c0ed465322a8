"""The pages, one file a stage: each parses, calls one function, renders."""
