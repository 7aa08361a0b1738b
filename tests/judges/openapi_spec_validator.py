"""openapi-spec-validator: the documents are OpenAPI 3.1, every schema JSON Schema 2020-12."""

from __future__ import annotations

from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from judges.documents import documents


def judge(_: Path) -> list[str]:
    """What it finds, by service."""
    return [
        f"{service} {'/'.join(str(step) for step in error.absolute_path)}: {error.message}"
        for service, document in documents().items()
        for error in OpenAPIV31SpecValidator(document).iter_errors()
    ]
