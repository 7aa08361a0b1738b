"""Outside programs that judge what others build upon: `make judges`. Each is one file; `__main__.py` runs them."""
