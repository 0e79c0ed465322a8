"""Models of the hub's API other than documents: the hub answers with them and clients read them."""
