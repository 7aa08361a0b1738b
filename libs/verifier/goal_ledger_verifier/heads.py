"""Signed heads and proofs against the log: what was signed, by whom, and whether the log still says it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from goal_ledger_contracts.verifier_key import VerifierKey
from goal_ledger_contracts.witness_policy import WitnessPolicy

from goal_ledger_verifier.findings import Finding, Findings
from goal_ledger_verifier.log import CheckedLog
from goal_ledger_verifier.notes import BadHead, Head, parse_head, signed_by, verified
from goal_ledger_verifier.tree import EMPTY_ROOT, climbed

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Proof:
    """A C2SP ``tlog-proof``: that the log under ``head`` has a fact at place ``seq``."""

    seq: int
    path: Sequence[bytes]
    head: Head


def parse_proof(text: str, place: str) -> Proof:
    """Raises :class:`BadHead` (of the checkpoint in it too) with what is wrong."""
    top, separator, note = text.partition("\n\n")
    first, *lines = top.split("\n")
    if lines and lines[0].startswith("extra "):
        del lines[0]
    index = _INDEX.fullmatch(lines[0]) if lines else None
    if not separator or first != "c2sp.org/tlog-proof@v1" or index is None:
        raise BadHead("no tlog-proof: its first line, the index, hashes, an empty line, a checkpoint")
    try:
        path = [base64.b64decode(one, validate=True) for one in lines[1:]]
    except binascii.Error:
        raise BadHead("a hash of the proof is not base64") from None
    return Proof(int(index[1]) + 1, path, parse_head(note, place))


@dataclass(slots=True)
class Trust:
    """Whose signatures count: the log's, and those of witnesses, of which the newest head needs the policy's quorum."""

    keys: Sequence[VerifierKey]
    policy: WitnessPolicy = WitnessPolicy()


class Heads:
    """Compares heads and proofs with one log."""

    def __init__(self, log: CheckedLog, trust: Trust, findings: Findings) -> None:
        self._log, self._trust, self._findings = log, trust, findings
        self.signed = 0
        """Heads, those of proofs too, whose signature verified."""
        self.cosigned = 0
        """Heads with a cosignature of a witness of the policy."""
        self.agreed: list[int] = []
        """The sizes of heads whose root is that of the facts."""

    def check(self, heads: Sequence[Head], served: Head | None) -> None:
        """All heads, the smallest first; ``served``: the log's own checkpoint among them."""
        newest = max(heads, key=lambda one: (*(one.log or ("", 0))[1:], one.size), default=None)
        for head in sorted(heads, key=lambda one: one.size):
            self._signatures(head, head is newest)
            self._cosignatures(head, head is newest)
            self._against_log(head)
        kept = max((one.size for one in heads if served and one.origin == served.origin), default=0)
        if served is not None and kept > served.size:
            self._add("head_older_than_kept", served, f"over {served.size} facts; one over {kept} was kept")

    def check_signed(self, head: Head) -> None:
        """The signatures of one head, as of the newest: whether the log still says it is not looked at."""
        self._signatures(head, is_newest=True)
        self._cosignatures(head, is_newest=True)

    def _cosignatures(self, head: Head, is_newest: bool) -> None:
        policy, found = self._trust.policy, {}
        for witness in policy.witnesses:
            found[witness.name] = verified(head, witness.key)
            if found[witness.name] is False:
                self._add("cosignature_wrong", head, f"of {witness.key.name}")
        cosigners = [name for name, cosigned in found.items() if cosigned]
        self.cosigned += bool(cosigners)
        if is_newest and not policy.is_satisfied(cosigners):
            detail = f"by {', '.join(cosigners) or 'nobody'}; the quorum is {policy.quorum}"
            self._add("witnesses_missing", head, detail)

    def _signatures(self, head: Head, is_newest: bool) -> None:
        if not self._trust.keys:
            return
        signed = signed_by(head, self._trust.keys).values()
        self.signed += True in signed and False not in signed
        if False in signed:
            self._add("signature_wrong", head, f"of {head.origin}")
        elif True not in signed or (is_newest and None in signed):
            self._add("signature_missing", head, f"of {head.origin}")

    def _against_log(self, head: Head) -> None:
        log, named = self._log, head.log
        if named is None or named[0] != log.workspace:
            self._add("head_of_another_log", head, f"{head.origin}; the log is of {log.workspace}")
            return
        epoch = named[1]
        kept = log.kept_of(epoch)
        if epoch > log.epoch or (head.size > kept and epoch == log.epoch):
            detail = (
                f"over {head.size} facts in epoch {epoch}; the log ends with {log.facts} in epoch {log.epoch}"
            )
            self._add("head_beyond_log", head, detail, min(log.facts, head.size) + 1, head.size)
        elif head.size > kept:
            if not self._is_named_lost(head):
                detail = f"over {head.size} facts of epoch {epoch}, of which {kept} were kept"
                self._add("head_lost", head, detail, kept + 1, head.size)
        elif self._root(head.size) == head.root:
            self.agreed.append(head.size)
        else:
            agreed = max((size for size in self.agreed if size < head.size), default=0)
            detail = f"the facts {agreed + 1} to {head.size} are not those under the head of {head.size}"
            self._add("root_differs", head, detail, agreed + 1, head.size)

    def _root(self, size: int) -> bytes | None:
        if size == 0:
            return EMPTY_ROOT
        return self._log.root if size == self._log.facts else self._log.roots.get(size)

    def _is_named_lost(self, head: Head) -> bool:
        return any((head.size, head.root.hex()) in one.lost for one in self._log.epochs)

    def check_proof(self, proof: Proof) -> None:
        """The fact of the log under the proof's head; the head itself is checked with the others."""
        leaf = self._log.leaves.get(proof.seq)
        if leaf is None:
            detail = f"of fact {proof.seq}; the log ends with {self._log.facts}"
            self._add("proof_beyond_log", proof.head, detail, proof.seq)
        elif climbed(leaf, proof.seq - 1, proof.head.size, proof.path) != proof.head.root:
            self._add("proof_wrong", proof.head, f"fact {proof.seq} is not what was proven", proof.seq)

    def _add(
        self, code: str, head: Head, detail: str, seq: int | None = None, upto: int | None = None
    ) -> None:
        self._findings.add(Finding(code, detail, head.place, seq, None if upto == seq else upto))
