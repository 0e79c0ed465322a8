"""What the site of the docs needs beyond Sphinx: `pages` as they are read, `bilingual` search and frame."""
