"""Random tamperings of random logs: each is named at its place, and no clean log is accused."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from goal_ledger_verifier.findings import Finding
from goal_ledger_verifier.report import Report

from verifier.saved import saved_answer
from verifier.signed import Signed, signed_life, verified
from verifier.tamperings import TAMPERINGS, Tampered

TAMPERINGS_OF_EACH = len(TAMPERINGS)
ANSWERS = 2
"""Saved with each log."""


def missed(folder: Path, seeds: Iterable[int]) -> list[str]:
    """Of one log for each seed, tampered with in every way: what was not named where it is, and false accusations."""
    found: list[str] = []
    for seed in seeds:
        of, chosen = signed_life(seed), random.Random(seed)
        of.answers = [saved_answer(folder, of, chosen) for _ in range(ANSWERS)]
        clean = _verified(folder, of, of.lines, of.heads, [json.dumps(one).encode() for one in of.answers])
        if clean.exit_code:
            found.append(f"{seed}: a clean log is accused: {clean.findings.kept[:3]} {clean.not_checked[:1]}")
        found += [
            f"{seed}: {one.what} at {one.pointer or f'{one.low} to {one.high}'}"
            for one in [tamper(chosen, of) for tamper in TAMPERINGS]
            if not _is_named(folder, of, one)
        ]
    return found


def _verified(
    folder: Path, of: Signed, lines: list[bytes], heads: list[str], answers: Sequence[bytes]
) -> Report:
    return verified(folder, lines, of.key, heads, None, list(answers))


def _is_named(folder: Path, of: Signed, tampered: Tampered) -> bool:
    report = _verified(folder, of, tampered.lines, tampered.heads, tampered.answers)
    return any(one.code in tampered.codes and _at(one, tampered) for one in report.findings.kept)


def _at(one: Finding, tampered: Tampered) -> bool:
    if tampered.pointer:
        return one.detail.startswith(f"{tampered.pointer} is ")
    if not tampered.high:
        return bool(one.place)
    low = one.seq or 0
    return low <= tampered.high and tampered.low <= (one.upto or low)
