"""The hub as a process: prepared, checked, started, measured, and its accounts kept in backups."""
