"""The hub under load: a store filled by moulds of the real path, pages measured over HTTP, fifty users at once."""
