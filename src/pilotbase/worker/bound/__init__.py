"""Operations bound to the functions that do them: a module for each noun of `pilotbase.operations`."""
