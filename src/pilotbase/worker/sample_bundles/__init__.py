"""Sample bundles: everything of a trial in one archive, packed, ordered and derived again."""
