"""What a new base shows: five sectors proven, their records, and one demand on its whole way."""
