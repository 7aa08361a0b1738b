"""``goal-ledger-verify``: checks a log, heads, proofs and saved answers, offline.

Exit codes: 0 nothing found, 1 something found, 2 something could not be read or checked, or wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from goal_ledger_contracts.verifier_key import BadVerifierKey, VerifierKey, parse_verifier_key
from goal_ledger_contracts.witness_policy import BadPolicy, WitnessPolicy, parse_policy

from goal_ledger_verifier.answers import Answers
from goal_ledger_verifier.dossier import is_bundle, verify_dossier
from goal_ledger_verifier.erasure import is_certificate, verify_erasure
from goal_ledger_verifier.findings import Finding, Findings
from goal_ledger_verifier.heads import Heads, Proof, Trust, parse_proof
from goal_ledger_verifier.log import CheckedLog, check_log
from goal_ledger_verifier.log_files import CannotRead, LogFiles, log_at
from goal_ledger_verifier.notes import BadHead, CannotVerify, Head, parse_head
from goal_ledger_verifier.report import NOT_CHECKED, Report
from goal_ledger_verifier.told import told_by

PROGRESS_S = 0.5


def main(words: Sequence[str] | None = None) -> None:
    """The console script."""
    asked = arguments(words)
    try:
        report = verify(asked, _progress() if sys.stderr.isatty() else lambda facts, share: None)
    except (CannotRead, CannotVerify, BadVerifierKey) as wrong:
        print(f"goal-ledger-verify: {wrong}", file=sys.stderr)
        sys.exit(NOT_CHECKED)
    if asked.json:
        print(json.dumps(report.document(), ensure_ascii=False, indent=2))
    else:
        print("\n".join(report.lines()))
    sys.exit(report.exit_code)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """As they are given (default: to this process). Exits with 2 if they are not understood."""
    return _parser().parse_args(words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="goal-ledger-verify",
        description="Check a workspace's log, its signed heads, proofs and saved answers. No server is asked.",
        epilog="Exit codes: 0 nothing found, 1 something found, 2 something could not be read or checked.",
    )
    add = parser.add_argument
    add(
        "log",
        type=Path,
        help="JSON Lines as /v1/log serves them, or a folder with tile/entries, gzip or plain; or a dossier's bundle, or a certificate of erasure",
    )
    add(
        "--key",
        action="append",
        default=[],
        help="the log's verifier key (vkey), or a file with one on each line",
    )
    add(
        "--head",
        action="append",
        default=[],
        type=Path,
        help="a head kept earlier (checkpoint), or a folder of them",
    )
    add("--proof", action="append", default=[], type=Path, help="a tlog-proof, or a folder of them")
    add(
        "--answer",
        action="append",
        default=[],
        type=Path,
        help="a saved answer of the query service, or a folder",
    )
    add(
        "--policy",
        type=Path,
        default=None,
        help="the witness policy that the operator publishes; its quorum must have cosigned the newest head",
    )
    add("--processes", type=int, default=1, choices=range(1, 65), metavar="N", help="1 to 64")
    add("--json", action="store_true", help="write the report as JSON")
    return parser


def verify(asked: argparse.Namespace, progress: Callable[[int, float], None]) -> Report:
    """Raises CannotRead, CannotVerify and BadVerifierKey."""
    policy = WitnessPolicy() if asked.policy is None else _policy(asked.policy)
    trust = Trust(_keys([*asked.key, *policy.logs]), policy)
    if is_bundle(asked.log):
        return _alone(asked, verify_dossier(asked.log, trust))
    if is_certificate(asked.log):
        return _alone(asked, verify_erasure(asked.log, trust))
    findings = Findings()
    files = log_at(asked.log)
    served = (
        None if files.checkpoint is None else _head(files.checkpoint, f"{files.place}/checkpoint", findings)
    )
    heads = [one for path in _files(asked.head) if (one := _head(path.read_bytes(), str(path), findings))]
    proofs = [proof for path in _files(asked.proof) if (proof := _proof(path, findings))]
    every = [*heads, *([served] if served else []), *(one.head for one in proofs)]
    log = _check(files, findings, every, proofs, asked.processes, progress)
    compared = Heads(log, trust, findings)
    compared.check(every, served)
    for proof in proofs:
        compared.check_proof(proof)
    report = Report(log, findings)
    report.checked = {
        "facts: canonical bytes, seq, versions, chains, tree": log.facts,
        "heads compared with the facts": len(every),
        "of them signed by a key given": compared.signed,
        "of them cosigned by a witness": compared.cosigned,
        "facts proven": len(proofs),
    }
    report.remarks = list(_remarks(log, every, compared, trust))
    if asked.answer:
        _answers(files, log, _files(asked.answer), report)
    return report


def _alone(asked: argparse.Namespace, report: Report) -> Report:
    """A bundle or a certificate brings its own head and proofs: others are of the log."""
    others = [*asked.head, *asked.proof, *asked.answer]
    report.not_checked += [f"{one}: give it with the log, this file has its own" for one in others]
    return report


def _check(
    files: LogFiles,
    findings: Findings,
    heads: Sequence[Head],
    proofs: Sequence[Proof],
    processes: int,
    progress: Callable[[int, float], None],
) -> CheckedLog:
    whole = max(files.bytes, 1)
    sizes, places = {one.size for one in heads}, {one.seq for one in proofs}
    return check_log(
        files, findings, sizes, places, processes, lambda facts, read: progress(facts, min(1.0, read / whole))
    )


def _answers(files: LogFiles, log: CheckedLog, paths: Sequence[Path], report: Report) -> None:
    answers = Answers(log, told_by(files, report.findings), report.findings)
    for path in paths:
        answers.check(path.read_bytes(), str(path))
    report.checked["saved answers"] = len(paths) - len(answers.not_understood)
    report.checked["members of them computed again"] = answers.members
    report.not_computed = dict(answers.not_computed)
    report.not_checked += answers.not_understood


def _remarks(log: CheckedLog, heads: Sequence[Head], compared: Heads, trust: Trust) -> Iterator[str]:
    if not heads:
        yield "no head was given: nothing shows that facts are not missing at the end, or all made anew"
    elif not trust.keys:
        yield "no key was given: the signatures of heads were not looked at"
    covered = max(compared.agreed, default=0)
    if heads and covered < log.facts:
        yield f"the facts after {covered} are under no head that was given"


def _keys(given: Sequence[str]) -> list[VerifierKey]:
    """Written out, or in files. Raises BadVerifierKey and CannotRead."""
    found = []
    for one in given:
        path = Path(one)
        lines = path.read_text().splitlines() if len(one) < 4096 and path.is_file() else [one]
        found += [
            parse_verifier_key(line.strip()) for line in lines if line.strip() and not line.startswith("#")
        ]
    return found


def _policy(path: Path) -> WitnessPolicy:
    """Raises CannotRead."""
    try:
        return parse_policy(path.read_text())
    except (OSError, UnicodeDecodeError, BadPolicy) as wrong:
        raise CannotRead(f"{path}: {wrong}") from None


def _files(given: Sequence[Path]) -> list[Path]:
    """Those named, and those in folders named. Raises CannotRead."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += sorted(one for one in path.iterdir() if one.is_file())
        elif path.is_file():
            found.append(path)
        else:
            raise CannotRead(f"{path}: there is no such file")
    return found


def _head(raw: bytes, place: str, findings: Findings) -> Head | None:
    try:
        return parse_head(raw.decode(), place)
    except (BadHead, UnicodeDecodeError) as wrong:
        findings.add(Finding("not_a_head", str(wrong), place))
        return None


def _proof(path: Path, findings: Findings) -> Proof | None:
    try:
        return parse_proof(path.read_text(), str(path))
    except (BadHead, UnicodeDecodeError) as wrong:
        findings.add(Finding("proof_broken", str(wrong), str(path)))
        return None


def _progress() -> Callable[[int, float], None]:
    began = time.monotonic()
    told = [began]

    def tell(facts: int, share: float) -> None:
        now = time.monotonic()
        if now - told[0] >= PROGRESS_S or share >= 1:
            told[0] = now
            end = "\n" if share >= 1 else ""
            print(
                f"\r{facts:,} facts, {share:4.0%}, {facts / (now - began):,.0f}/s ",
                end=end,
                file=sys.stderr,
                flush=True,
            )

    return tell
