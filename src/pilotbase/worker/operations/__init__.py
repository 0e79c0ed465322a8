"""Operations bound to the functions that implement them: a module for each noun of `pilotbase.operations`."""
