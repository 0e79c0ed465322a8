"""A hub to look at: the examples of five sectors as records of many organisations, one account a role."""
