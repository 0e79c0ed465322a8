"""The catalogue: what scenarios and applications a base has taken in, one immutable version at a time."""
