"""Writes the JSON Schema of the document: ``python -m goal_ledger_command.importing.schema docs/guide``.

A test says that the file is what this writes, and that the guide's example and an export are valid by it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, create_model

from goal_ledger_command.importing.document import FORMAT, ROWS

FILE = "organisation.v1.schema.json"


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of ``goal-ledger.organisation.v1``."""
    members: dict[str, Any] = {
        "format": (Literal[FORMAT], ...),
        "exported": (dict[str, Any] | None, None),
        "workspace": (ROWS["workspace"] | None, None),
    }
    for section, shape in ROWS.items():
        if section != "workspace":
            members[section] = (list[shape], [])  # type: ignore[valid-type]
    document = create_model(
        "Organisation",
        __config__=ConfigDict(extra="forbid", title="An organisation in Goal Ledger"),
        __doc__="A whole organisation, or rows of it: docs/guide/import.md.",
        **members,
    )
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    described: dict[str, Any] = document.model_json_schema()
    return dialect | described


def page() -> str:
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1], FILE).write_text(page(), encoding="utf-8")
