"""What each kind of job of the estate does."""
