"""Routes of the computing estate written by hand."""
