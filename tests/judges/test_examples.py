"""The answers that OpenAPI shows: each fits its schema, and every question and the demo's commands have one."""

from __future__ import annotations

import jsonschema
import pytest
from goal_ledger_demo.examples import Example, examples
from goal_ledger_edge.examples import good_content

from judges.documents import documents

DOCUMENTS = documents()
EXAMPLES = list(examples())
OPERATIONS = [
    (service, method, path, operation)
    for service, document in DOCUMENTS.items()
    for path, methods in document["paths"].items()
    for method, operation in methods.items()
]
FOR_SERVICES = {"/v1/keys", "/v1/log/heads"}
"""Answers of the internal listener, that no person gets."""
OF_AN_IMPORT = {"/v1/imports/{import_id}"}
"""The demo imports nothing."""


def test_every_question_that_answers_in_json_has_an_example() -> None:
    shown = {
        path
        for _, method, path, operation in OPERATIONS
        if method == "get" and "examples" in good_content(operation)
    }
    asked = {path for _, method, path, operation in OPERATIONS if method == "get" and good_content(operation)}
    assert asked - shown == FOR_SERVICES | OF_AN_IMPORT
    assert "examples" in good_content(DOCUMENTS["query"]["paths"]["/v1/what-if"]["post"])


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"{one.file.parents[1].parent.name}-{one.file.stem}" for one in EXAMPLES]
)
def test_an_example_stands_under_its_route_and_fits_the_schema(example: Example) -> None:
    said = example.said
    document = DOCUMENTS["query" if "projection" in str(example.file) else "command"]
    content = good_content(document["paths"][said["path"]][said["method"]])
    assert content["examples"]["demo"] == {"summary": said["asked"], "value": example.answer}
    schema = {"components": document["components"], **content["schema"]}
    jsonschema.validate(example.answer, schema, cls=jsonschema.Draft202012Validator)
