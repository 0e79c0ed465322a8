"""What a new base shows: five proven sectors, their records, and one demand from start to end."""
