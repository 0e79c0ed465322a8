"""Messages of a field, read as cases of a contract, or refused with a reason: one module a family of forms."""
