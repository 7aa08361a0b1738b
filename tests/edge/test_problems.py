"""What FastAPI finds wrong is told in words of the domain, never in those of Python."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from goal_ledger_edge.problems import problem_of_validation


@pytest.mark.parametrize(
    ("kind", "where", "message", "sentence", "field"),
    [
        ("missing", ("body", "question"), "Field required", "This is required.", "/question"),
        (
            "model_attributes_type",
            ("body",),
            "Input should be a valid dictionary or instance of WhatIfQuestion",
            "An object with named members is expected here.",
            "",
        ),
        (
            "int_parsing",
            ("query", "depth"),
            "Input should be a valid integer",
            "A whole number is expected here.",
            "depth",
        ),
        (
            "greater_than_equal",
            ("query", "limit"),
            "Input should be greater than or equal to 1",
            "Input should be greater than or equal to 1.",
            "limit",
        ),
    ],
)
def test_what_is_wrong_is_told_in_our_words(
    kind: str, where: tuple[str, ...], message: str, sentence: str, field: str
) -> None:
    error: dict[str, Any] = {"type": kind, "loc": where, "msg": message, "input": "secret"}

    alone = problem_of_validation(RequestValidationError([error]))
    of_two = problem_of_validation(RequestValidationError([error, error]))

    assert (alone.status, alone.code, alone.sentence, alone.field) == (422, "invalid", sentence, field)
    assert of_two.sentence == f"{sentence[:-1]} (2 errors in all)."
