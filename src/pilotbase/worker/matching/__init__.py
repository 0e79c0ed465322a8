"""Matching joined with certificates, over a base's records or over files."""
