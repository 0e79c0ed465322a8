"""What all commands share: the terminal with its exit codes, which hub is driven, logs."""
