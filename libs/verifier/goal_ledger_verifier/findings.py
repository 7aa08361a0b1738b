"""What can be found: each kind has a stable code and says at which fact, head, proof or answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

CODES: dict[str, str] = {
    "not_json": "a fact is not a JSON object in UTF-8",
    "not_canonical": "a fact's bytes are not the RFC 8785 form of what they say",
    "not_a_fact": "a member that every fact has is missing, or of another type",
    "workspace_differs": "a fact of another workspace",
    "seq_wrong": "the fact at this place has another seq: one was left out, put in or moved",
    "version_wrong": "the fact's version does not follow its stream's last one",
    "previous_wrong": "`previous` is not the hash of the stream's fact before: that one, or this, is not what it was",
    "recorded_at_wrong": "recorded before the fact in front of it, or no instant",
    "event_id_twice": "two facts have one event id",
    "text_in_clear": "a personal text that is not sealed",
    "text_key_wrong": "a personal text under the key of somebody whose text it is not",
    "text_after_shredding": "a text under the key of a person who was shredded before",
    "epoch_wrong": "`StoreRestored` does not name the fact before it as the last one kept, or raises no epoch",
    "bundle_broken": "an entry bundle cannot be read to its end",
    "bundle_missing": "an entry bundle is missing, and later ones are there",
    "tile_differs": "a tile of hashes is not that of the facts",
    "not_a_head": "no checkpoint, or one that cannot be read",
    "signature_missing": "no signature of a key that was given",
    "signature_wrong": "a signature of a key that was given does not verify",
    "cosignature_wrong": "a cosignature of a witness that was given does not verify",
    "witnesses_missing": "the newest head has fewer cosignatures than were asked for",
    "head_of_another_log": "a head of another workspace",
    "head_beyond_log": "a head over more facts than the log has: the end of the log is missing",
    "head_older_than_kept": "the log's own checkpoint is older than a head kept earlier",
    "head_lost": "a head beyond a fork, of which `StoreRestored` says nothing: what it covers is lost",
    "root_differs": "the facts are not those that were signed",
    "proof_broken": "no tlog-proof, or one that cannot be read",
    "proof_beyond_log": "a proof of a fact that the log does not have",
    "proof_wrong": "the fact of the log is not the one that was proven",
    "proof_missing": "a fact in a dossier's bundle has no proof there",
    "certificate_wrong": "a certificate of erasure that holds no fact, or one that erased nothing",
    "dossier_broken": "a file of a dossier's bundle is missing, or cannot be read",
    "answer_unreadable": "a saved answer that is not one, or whose token says other than it does",
    "answer_beyond_log": "a saved answer from facts that the log does not have",
    "answer_differs": "a saved answer says other than the facts do",
    "fact_unreadable": "a fact that answers depend on cannot be read",
}
"""By code: what was found."""

KEPT_AT_MOST = 1000
"""So many findings are kept to be told; the others are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``place``: the file, and where in it. ``seq``: the fact; with ``upto`` one of the facts from ``seq`` to there."""

    code: str
    detail: str
    place: str = ""
    seq: int | None = None
    upto: int | None = None
    event_id: str | None = None
    stream: str | None = None

    def document(self) -> dict[str, Any]:
        """As JSON; members that say nothing are left out."""
        return {name: one for name, one in asdict(self).items() if one not in (None, "")}


class Findings:
    """Those of one run, in the order found."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.count = 0

    def add(self, *found: Finding) -> None:
        """Keep, or else count."""
        self.count += len(found)
        self.kept.extend(found[: max(0, KEPT_AT_MOST - len(self.kept))])
