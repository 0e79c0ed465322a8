"""Operations of the computing estate bound to their functions."""
