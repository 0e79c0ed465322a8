"""Worlds that applications act in, and what worlds are made of and checked by; the standard library only."""
