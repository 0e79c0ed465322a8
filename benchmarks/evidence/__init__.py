"""The proof of the evidence engine: claims, their simulations, the page that shows both. ``make evidence``."""
