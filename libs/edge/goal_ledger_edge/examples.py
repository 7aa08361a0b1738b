"""Real answers in OpenAPI: files of a folder beside the routes, each an answer of the demo organisation and what was asked."""

from __future__ import annotations

import json
from importlib.resources.abc import Traversable
from typing import Any

JSON = "application/json"
Document = dict[str, Any]


def show_answers(document: Document, folder: Traversable) -> None:
    """Puts each file's answer under the good answer of its route; a route that this listener has not is passed over.
    `folder`: files ``{method, path, asked, answer}``, as ``goal_ledger_demo.examples`` writes them."""
    for file in folder.iterdir():
        said = json.loads(file.read_text(encoding="utf-8"))
        operation = document["paths"].get(said["path"], {}).get(said["method"])
        if operation is not None:
            shown = {"summary": said["asked"], "value": said["answer"]}
            good_content(operation)["examples"] = {"demo": shown}


def good_content(operation: Document) -> Document:
    """The media type object of a JSON answer: of 201 where something is created, else of 200. Empty: none is JSON."""
    answers = operation["responses"]
    contents: list[Document] = [
        answers[status].get("content", {}) for status in ("201", "200") if status in answers
    ]
    return next((one[JSON] for one in contents if JSON in one), {})
