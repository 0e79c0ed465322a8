"""What people hand in: drafted, checked, read in a box, and kept as versions of records."""
