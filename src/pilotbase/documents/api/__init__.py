"""What the hub's API takes and gives besides documents: the hub answers in these models, clients read them."""
