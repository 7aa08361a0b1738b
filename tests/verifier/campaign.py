"""Random tamperings of random logs: each is named at its place, and no clean log is accused."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

from goal_ledger_verifier.findings import Finding

from verifier.signed import Signed, signed_life, verified
from verifier.tamperings import TAMPERINGS, Tampered

TAMPERINGS_OF_EACH = len(TAMPERINGS)


def missed(folder: Path, seeds: Iterable[int]) -> list[str]:
    """Of one log for each seed, tampered with in every way: what was not named where it is, and false accusations."""
    found: list[str] = []
    for seed in seeds:
        of = signed_life(seed)
        clean = verified(folder, of.lines, of.key, of.heads)
        if clean.exit_code:
            found.append(f"{seed}: a clean log is accused: {clean.findings.kept[:3]}")
        chosen = random.Random(seed)
        found += [
            f"{seed}: {one.what} at {one.low} to {one.high}"
            for one in [tamper(chosen, of) for tamper in TAMPERINGS]
            if not _is_named(folder, of, one)
        ]
    return found


def _is_named(folder: Path, of: Signed, tampered: Tampered) -> bool:
    report = verified(folder, tampered.lines, of.key, tampered.heads)
    return any(one.code in tampered.codes and _at(one, tampered) for one in report.findings.kept)


def _at(one: Finding, tampered: Tampered) -> bool:
    if not tampered.high:
        return bool(one.place)
    low = one.seq or 0
    return low <= tampered.high and tampered.low <= (one.upto or low)
