"""Jobs of the computing estate in the queue of the base."""
