"""Jobs of the estate."""
