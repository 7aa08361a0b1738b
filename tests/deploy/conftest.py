"""Makes `deploy/containers`, which no package holds, importable here as `make containers` has it."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "deploy"))
