"""The joins: flows across stages as plain functions, called alike by command line, hub and notebook."""
