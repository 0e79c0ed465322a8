"""Recorded exchanges: messages of the field with faults, a person's decisions among them, and an order to stop."""
