"""A dossier's bundle, checked offline: that its facts stand in the log that was signed, and that its numbers follow from them.

A bundle holds some facts of a log, each with a proof under one signed head. Every stream in it is there from its first fact on
without a gap, but the workspace's own, of which what numbers depend on is there. What the whole log alone shows, the report says.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goal_ledger_contracts import wire
from goal_ledger_contracts.envelope import leaf_hash
from goal_ledger_contracts.position import Position
from goal_ledger_contracts.workspace import StoreRestored

from goal_ledger_verifier.answers import Answers
from goal_ledger_verifier.canonical_lines import read
from goal_ledger_verifier.dossier_report import DossierReport
from goal_ledger_verifier.findings import Finding, Findings
from goal_ledger_verifier.heads import Heads, Trust, parse_proof
from goal_ledger_verifier.log import CheckedLog, Epoch
from goal_ledger_verifier.log_files import CannotRead, FactLines
from goal_ledger_verifier.members import Row, rows_of, what_is_wrong
from goal_ledger_verifier.notes import BadHead, Head, parse_head
from goal_ledger_verifier.texts import is_sealed, texts_of
from goal_ledger_verifier.told import told_by
from goal_ledger_verifier.tree import climbed

FORMAT = "goal-ledger.dossier.v1"
MAX_BYTES = 1 << 30
"""So many bytes a bundle may unpack to: it holds at most some ten thousand facts and their proofs."""

Json = dict[str, Any]
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class FactInBundle:
    row: Row
    data: Json
    leaf: bytes
    line: bytes


def is_bundle(path: Path) -> bool:
    return path.is_file() and zipfile.is_zipfile(path)


def verify_dossier(path: Path, trust: Trust) -> DossierReport:
    """Raises CannotRead: it is no bundle of this format; CannotVerify."""
    findings = Findings()
    members = _Members(path, findings)
    manifest = _manifest(members)
    checked = _Checked(members, manifest, findings, trust)
    checked.facts()
    checked.streams()
    checked.head()
    checked.proofs()
    return checked.report()


class _Members:
    """The files in it. What cannot be read is named, and reads as nothing."""

    def __init__(self, path: Path, findings: Findings) -> None:
        self.place, self._findings = str(path), findings
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as wrong:
            raise CannotRead(f"{path}: {wrong}") from None
        if sum(one.file_size for one in self._zip.infolist()) > MAX_BYTES:
            raise CannotRead(f"{path}: it unpacks to more than {MAX_BYTES:,} bytes")
        self.names = [one.filename for one in self._zip.infolist()]

    def read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        except KeyError:
            self._findings.add(Finding("dossier_broken", f"there is no {name}", self.place))
        except _UNREADABLE as wrong:
            self._findings.add(Finding("dossier_broken", f"{wrong}"[:200], self.at(name)))
        return b""

    def at(self, name: str) -> str:
        """Its place, for findings."""
        return f"{self.place}/{name}"

    def below(self, folder: str) -> list[str]:
        return sorted(one for one in self.names if one.startswith(f"{folder}/"))


def _manifest(members: _Members) -> Json:
    try:
        found: Json = json.loads(members.read("manifest.json"))
        Position.parse(found["position"])
        if found["format"] != FORMAT or not isinstance(found["objective"], str):
            raise ValueError(f"its format is {found['format']!r}, not {FORMAT}")
    except (ValueError, LookupError, TypeError, AttributeError) as wrong:
        raise CannotRead(f"{members.place}: no dossier's bundle: {wrong!r}"[:300]) from None
    return found


class _Checked:
    """One bundle under way."""

    def __init__(self, members: _Members, manifest: Json, findings: Findings, trust: Trust) -> None:
        self._members, self._findings, self._trust = members, findings, trust
        self._position = Position.parse(manifest["position"])
        self._facts: list[FactInBundle] = []
        self._head: Head | None = None
        self._proven = 0
        self._log = CheckedLog(members.place, facts=self._position.seq, workspace=str(manifest["workspace"]))
        self.objective: str = manifest["objective"]
        self._signed = 0

    def facts(self) -> None:
        """Bytes, members and order of each."""
        last = 0
        for number, line in enumerate(self._members.read("facts.jsonl").splitlines(), 1):
            place = f"{self._members.at('facts.jsonl')}:{number}"
            fact, why = read(line)
            rows = None if fact is None else rows_of([fact])
            if fact is None or rows is None:
                self._add(
                    "not_json" if fact is None else "not_a_fact",
                    str(why) if fact is None else what_is_wrong(fact),
                    place,
                )
                continue
            row = Row(*rows[0])
            if why is not None:
                self._add("not_canonical", why, place, row)
            if row.seq <= last:
                self._add("seq_wrong", f"after {last} comes {row.seq}", place, row)
            if row.workspace != self._log.workspace:
                self._add("workspace_differs", f"of {row.workspace}", place, row)
            last = row.seq
            self._facts.append(FactInBundle(row, fact["data"], leaf_hash(line), line))
            self._take_epoch(row, fact["data"], place)
            for text in texts_of(fact):
                if not is_sealed(text.text):
                    self._add("text_in_clear", text.pointer, place, row)
        if last > self._position.seq:
            self._add(
                "answer_beyond_log",
                f"the bundle is of {self._position}, and has fact {last}",
                self._members.place,
            )
        self._log.first_recorded_at = self._facts[0].row.recorded_at if self._facts else ""
        self._log.last_recorded_at = self._facts[-1].row.recorded_at if self._facts else ""

    def _take_epoch(self, row: Row, data: Json, place: str) -> None:
        if row.type != "StoreRestored":
            return
        try:
            told: StoreRestored = wire.decode(StoreRestored, data)
        except ValueError as wrong:
            self._add("not_a_fact", str(wrong)[:200], place, row)
            return
        self._log.epochs.append(Epoch(told.epoch, told.fork_seq, frozenset()))

    def streams(self) -> None:
        """Each from its first fact on, and chained; of the workspace's own, where one follows the other."""
        ends: dict[str, FactInBundle] = {}
        for one in self._facts:
            row, before = one.row, ends.get(one.row.stream)
            ends[row.stream] = one
            version, hash_ = (before.row.version, before.leaf.hex()) if before else (0, None)
            place = self._members.at("facts.jsonl")
            if row.version == version + 1:
                if row.previous != hash_:
                    self._add(
                        "previous_wrong", "the fact before it in the bundle has another hash", place, row
                    )
            elif not row.stream.startswith("workspace/") or row.version <= version:
                self._add("version_wrong", f"after version {version} comes {row.version}", place, row)
        self._log.streams = len(ends)
        if f"objective/{self.objective}" not in ends:
            self._add("dossier_broken", f"it has no fact of objective/{self.objective}", self._members.place)

    def head(self) -> None:
        """The checkpoint and who signed it."""
        place = self._members.at("checkpoint")
        try:
            self._head = head = parse_head(self._members.read("checkpoint").decode(), place)
        except (BadHead, UnicodeDecodeError) as wrong:
            self._add("not_a_head", str(wrong), place)
            return
        self._log.root = head.root
        if head.log is None or head.log[0] != self._log.workspace:
            self._add("head_of_another_log", f"{head.origin}; the bundle is of {self._log.workspace}", place)
        elif head.log[1] != self._log.epoch:
            self._add(
                "epoch_wrong", f"signed in epoch {head.log[1]}; the facts are of {self._log.epoch}", place
            )
        heads = Heads(self._log, self._trust, self._findings)
        heads.check_signed(head)
        self._signed = heads.signed

    def proofs(self) -> None:
        """Of every fact one, under the bundle's head."""
        named = set(self._members.below("proofs"))
        for one in self._facts:
            name = f"proofs/{one.row.seq}"
            if name not in named:
                self._add("proof_missing", f"there is no {name}", self._members.place, one.row)
                continue
            named.discard(name)
            self._proof(one, name)
        for name in sorted(named):
            self._add("proof_beyond_log", "of a fact that is not in the bundle", self._members.at(name))

    def _proof(self, one: FactInBundle, name: str) -> None:
        place = self._members.at(name)
        try:
            proof = parse_proof(self._members.read(name).decode(), place)
        except (BadHead, UnicodeDecodeError) as wrong:
            self._add("proof_broken", str(wrong), place, one.row)
            return
        head = self._head
        if head is None or proof.head.note != head.note:
            self._add("proof_wrong", "it is under another head than the bundle's", place, one.row)
        elif proof.seq != one.row.seq or climbed(one.leaf, proof.seq - 1, head.size, proof.path) != head.root:
            self._add("proof_wrong", "the fact is not the one that was proven", place, one.row)
        else:
            self._proven += 1

    def report(self) -> DossierReport:
        """With the answers computed again, if the facts can be taken at their word."""
        report = DossierReport(
            self._log, self._findings, objective=self.objective, position=str(self._position)
        )
        report.checked = {
            "facts: canonical bytes, versions, chains": len(self._facts),
            "of them proven under the signed head": self._proven,
            "heads signed by a key given": self._signed,
        }
        lines = FactLines(self._members.at("facts.jsonl"), [one.line for one in self._facts])
        answers = Answers(self._log, told_by(lines, self._findings), self._findings)
        names = self._members.below("answers")
        for name in names:
            answers.check(self._members.read(name), self._members.at(name))
        report.checked["saved answers"] = len(names) - len(answers.not_understood)
        report.checked["members of them computed again"] = answers.members
        report.not_computed, report.not_checked = dict(answers.not_computed), answers.not_understood
        report.remarks = list(self._remarks(names))
        return report

    def _remarks(self, answers: Iterable[str]) -> Iterator[str]:
        if not self._trust.keys:
            yield "no key was given: the signature of the head was not looked at"
        if not list(answers):
            yield "it holds no answers: nothing was computed"
        yield f"told/ and dossier.html were not compared: {len(self._members.below('told'))} answers and a page made from them"
        yield (
            "that no stream goes on behind what is here, up to the bundle's position, and that no other goal counted in this "
            "one, the whole log alone shows"
        )

    def _add(self, code: str, detail: str, place: str, row: Row | None = None) -> None:
        if row is None:
            self._findings.add(Finding(code, detail, place))
        else:
            self._findings.add(Finding(code, detail, place, row.seq, None, row.event_id, row.stream))
