"""A judge model on trial: its scores of all answers, people's labels of a random few, and how far they agree."""
