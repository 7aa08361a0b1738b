"""`make mutants`: is there a line that could be wrong without a test noticing?

``ARGS="scoring merkle"`` picks parts, ``--sample 300 --seed 1`` that many of their mutants by chance (the same for the same
seed). A run that was broken off goes on where it was; survivors are judged anew, for a test may have come; those of
contracts, whose codecs are built at import, each in a process of its own. A survivor that `survivors.toml` does not list,
and a part of which less than 97 % are killed, fail the command. Bounded: per mutant by mutmut, 15 times what its tests take.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Sequence

from mutants import tool
from mutants.survivors import function_of, listed
from mutants.tool import KILLED, TIMED_OUT, Verdicts

PARTS = {
    "contracts": "goal_ledger_contracts.",
    "canonical": "goal_ledger_contracts.canonical.",
    "domain": "goal_ledger_domain.",
    "scoring": "goal_ledger_scoring.",
    "history": "goal_ledger_history.",
    "merkle": "goal_ledger_ledger.merkle.",
    "consumer_rule": "goal_ledger_projection.folding.consumer_rule.",
}
SMALLEST = "goal_ledger_contracts.lifting.*"
"""Judged first: mutmut makes the mutants of all that changed before it judges any, and names can be drawn only then."""
BUILT_AT_IMPORT = "goal_ledger_contracts."
TO_BE_KILLED = 0.97
SAY_EVERY_S = 30


def main(arguments: Sequence[str]) -> int:
    """0: every survivor is listed, and enough are killed."""
    asked = _asked(arguments)
    tool.prepare()
    _judge([SMALLEST], ())
    chosen = {part: _drawn(PARTS[part], asked.sample, asked.seed) for part in asked.parts or PARTS}
    names = sorted({name for some in chosen.values() for name in some})
    before = tool.verdicts()
    left = [name for name in names if before[name] not in KILLED | TIMED_OUT]
    if left:
        _judge(left, names)
    found = tool.verdicts()
    found |= _judged_before_import([name for name in names if name.startswith(BUILT_AT_IMPORT)], found)
    return max(_told(part, some, found) for part, some in chosen.items())


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="|".join(PARTS))
    parser.add_argument("--sample", type=int, metavar="N", help="at most so many of each part")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def _drawn(prefix: str, sample: int | None, seed: int) -> list[str]:
    names = sorted(name for name in tool.verdicts() if name.startswith(prefix))
    return names if sample is None or sample >= len(names) else random.Random(seed).sample(names, sample)


def _judge(left: Sequence[str], names: Sequence[str]) -> None:
    judging = tool.start(left)
    try:
        while True:
            try:
                code = judging.wait(SAY_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                found = tool.verdicts()
                print(
                    f"{sum(found.get(name) is not None for name in names)} of {len(names)} judged", flush=True
                )
    finally:
        judging.terminate()
    if code:
        sys.exit(f"mutmut ended with {code}: {tool.LOG}")


def _judged_before_import(names: Sequence[str], found: Verdicts) -> Verdicts:
    """Of those that survived, each in a process of its own."""
    survived = [name for name in names if found[name] not in KILLED | TIMED_OUT]
    if survived and tool.judge_before_import(""):
        sys.exit("without a mutant the tests of contracts fail")
    return {name: tool.judge_before_import(name) for name in survived}


def _told(part: str, names: Sequence[str], found: Verdicts) -> int:
    """Print how the part fares; 1 if it must not be so."""
    slow = sum(found[name] in TIMED_OUT for name in names)
    killed = slow + sum(found[name] in KILLED for name in names)
    known, equal, unlisted = listed(), 0, []
    for name in names:
        if found[name] not in KILLED | TIMED_OUT:
            was, becomes = tool.change(name)
            survivor = known.get((function_of(name), was, becomes))
            equal += survivor is not None and survivor.equal
            if survivor is None:
                unlisted.append(f"  {name}\n    - {was}\n    + {becomes}")
    share = killed / max(1, len(names) - equal)
    print(
        f"{part}: {killed} of {len(names)} killed ({slow} by the time limit), {equal} are equal in effect: {share:.1%}; "
        f"{len(unlisted)} survivors are not listed"
    )
    print("\n".join(unlisted), flush=True)
    return int(bool(unlisted) or share < TO_BE_KILLED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
