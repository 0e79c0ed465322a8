"""The house measured by its own rules: sizes, imports, duplicates, names, mutants, times. ``make measured``."""
