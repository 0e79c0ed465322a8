"""Template tags of the computing estate."""
