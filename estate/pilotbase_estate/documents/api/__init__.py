"""What the API of the computing estate takes and gives."""
