"""The frame of a program: its job is read from stdin as JSON, its result is the one line it prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop


def run(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    print(json.dumps(work(json.load(sys.stdin))), flush=True)


def run_async(work: Callable[[dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]) -> None:
    run(lambda job: uvloop.run(work(job)))
