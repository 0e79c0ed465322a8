"""What the estate adds to the sandbox of the base."""
