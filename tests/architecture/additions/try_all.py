"""``try_all.py <copy> <program> …``: each of these programs, in the copy."""

import importlib
import sys

for name in sys.argv[2:]:
    importlib.import_module(name)
