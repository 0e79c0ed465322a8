"""Operations of the computing estate, a module for each noun."""
