"""Reading answers in words: what of a text counts, English and Chinese alike."""
