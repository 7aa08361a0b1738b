"""The operator's policy file tells whose cosignatures count and which of them make a head good; the log's keys may stand in it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from goal_ledger_contracts.verifier_key import COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44, VerifierKey
from goal_ledger_verifier import main
from goal_ledger_verifier.notes import parse_head
from goal_ledger_verifier.report import Report

from verifier.signed import Signed, signed_life, verified

AT = 1_780_000_000
KINDS = (COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44)


class Cosigner:
    """A witness with a key of either kind."""

    def __init__(self, name: str, kind: int) -> None:
        self._key: Any = (
            MLDSA44PrivateKey if kind == COSIGNATURE_ML_DSA_44 else Ed25519PrivateKey
        ).generate()
        self.key = VerifierKey(f"{name}.example", kind, self._key.public_key().public_bytes_raw())

    def line(self, note: str, at: int = AT) -> str:
        """Its cosignature of now, said to be of another moment."""
        signature = self._key.sign(self.key.cosigned(AT, parse_head(note, "").body))
        written = base64.b64encode(self.key.hash + at.to_bytes(8) + signature).decode()
        return f"— {self.key.name} {written}\n"


WITNESSES = {name: Cosigner(name, kind) for name, kind in zip("abc", (*KINDS, KINDS[0]), strict=True)}


@pytest.fixture
def of() -> Signed:
    return signed_life(8)


def under_policy(folder: Path, of: Signed, note: str, quorum: str, key: str = "") -> Report:
    path = folder / "policy"
    lines = [f"witness {name} {one.key} https://{one.key.name}/" for name, one in WITNESSES.items()]
    path.write_text("\n".join([f"log {key or of.key}", *lines, *quorum.split("; ")]))
    return verified(folder, of.lines, of.key, [note], None, None, "--policy", str(path))


def codes(report: Report) -> list[str]:
    return [one.code for one in report.findings.kept]


@pytest.mark.parametrize(
    ("cosigners", "quorum", "found"),
    [
        ("ab", "group two 2 a b c; quorum two", []),
        ("a", "group two 2 a b c; quorum two", ["witnesses_missing"]),
        ("c", "group top any a b; group all all top c; quorum all", ["witnesses_missing"]),
        ("bc", "group top any a b; group all all top c; quorum all", []),
        ("", "quorum none", []),
    ],
)
def test_the_quorum_of_the_policy_must_have_cosigned(
    tmp_path: Path, of: Signed, cosigners: str, quorum: str, found: list[str]
) -> None:
    note = of.heads[-1] + "".join(WITNESSES[name].line(of.heads[-1]) for name in cosigners)
    report = under_policy(tmp_path, of, note, quorum)
    assert (codes(report), report.checked["of them cosigned by a witness"]) == (found, bool(cosigners))


@pytest.mark.parametrize("name", "ab")
def test_a_cosignature_of_another_moment_is_named(tmp_path: Path, of: Signed, name: str) -> None:
    note = of.heads[-1] + WITNESSES[name].line(of.heads[-1], AT + 1)
    report = under_policy(tmp_path, of, note, f"quorum {name}")
    assert codes(report) == ["cosignature_wrong", "witnesses_missing"]


def test_lines_of_strangers_under_a_head_are_passed_over(tmp_path: Path, of: Signed) -> None:
    note = (
        of.heads[-1] + Cosigner("stranger", KINDS[1]).line(of.heads[-1]) + WITNESSES["a"].line(of.heads[-1])
    )
    assert codes(under_policy(tmp_path, of, note, "quorum a")) == []


def test_a_key_of_the_log_in_the_policy_counts_as_one_that_was_given(tmp_path: Path, of: Signed) -> None:
    log = Cosigner("log", COSIGNATURE_ML_DSA_44)
    log.key = VerifierKey(of.origin, COSIGNATURE_ML_DSA_44, log.key.public)
    note = of.heads[-1]
    assert codes(under_policy(tmp_path, of, note, "quorum none", str(log.key))) == ["signature_missing"]
    both = note + log.line(note)
    assert codes(under_policy(tmp_path, of, both, "quorum none", str(log.key))) == []
    wrong = note + log.line(note, AT + 1)
    assert codes(under_policy(tmp_path, of, wrong, "quorum none", str(log.key))) == ["signature_wrong"]


def test_a_policy_that_is_none_ends_the_program_with_the_line(
    tmp_path: Path, of: Signed, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy"
    policy.write_text("quorum both\n")
    log = tmp_path / "log.jsonl"
    log.write_bytes(of.lines[0] + b"\n")
    with pytest.raises(SystemExit) as ended:
        main.main([str(log), "--policy", str(policy)])
    said = f"goal-ledger-verify: {policy}: line 1: nothing above is named both\n"
    assert (ended.value.code, capsys.readouterr().err) == (2, said)
