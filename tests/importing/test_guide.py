"""The examples of docs/guide/import.md, as they are written there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from command.service import Organisation
from goal_ledger_command.importing import schema
from goal_ledger_command.importing.csv_rows import COLUMNS
from goal_ledger_command.importing.document import ROWS

from importing.conftest import imported, outcomes

GUIDE_FILE = Path(__file__).parents[2] / "docs" / "guide" / "import.md"
GUIDE = GUIDE_FILE.read_text(encoding="utf-8")


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("example", [json.loads(one) for one in examples("json")] + examples("csv"))
async def test_an_example_is_imported_as_rehearsed_and_a_second_time_nothing_is_new(
    org: Organisation, example: object
) -> None:
    rehearsed = await imported(org, example, dry_run=True)
    first = await imported(org, example)
    again = await imported(org, example)

    assert first["counts"]["created"] and not first["counts"]["refused"], first
    assert outcomes(rehearsed) == outcomes(first)
    assert [one for one in again["rows"] if one["outcome"] != "unchanged"] == []


def test_the_schema_is_written_from_the_rows_and_the_example_is_valid_by_it() -> None:
    written = (GUIDE_FILE.parent / schema.FILE).read_text(encoding="utf-8")

    assert written == schema.page(), "run: python -m goal_ledger_command.importing.schema docs/guide"
    validator = jsonschema.Draft202012Validator(schema.schema())
    for example in examples("json"):
        validator.validate(json.loads(example))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"format": "goal-ledger.organisation.v1", "goals": []})


def test_every_section_and_column_is_in_the_guide() -> None:
    for section in ROWS:
        assert f"`{section}`" in GUIDE
    for kind, columns in COLUMNS.items():
        assert f"| `{kind}` | `{' '.join(columns)}`" in GUIDE
