"""What people fill in: the forms of every kind of step, and the files that come with them."""
