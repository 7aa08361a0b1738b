"""The bundle: one zip file that ``goal-ledger-verify`` accepts offline.

``manifest.json`` says what it is of; ``facts.jsonl`` the facts' stored bytes in the order of the log, ``checkpoint`` one signed
head, ``proofs/<seq>`` a C2SP tlog-proof of each fact under it; ``answers/`` those answers that follow from these facts and
are computed again, ``told/`` the others that the page was written from; ``dossier.html`` the page.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence

from goal_ledger_contracts.envelope import Fact

from goal_ledger_projection.dossier.answers import DossierAnswers, Json
from goal_ledger_projection.dossier.proofs import SignedProofs

FORMAT = "goal-ledger.dossier.v1"
_NO_DATE = (1980, 1, 1, 0, 0, 0)
"""A zip file's first: the same content gives the same bytes."""


def bundle(
    facts: Sequence[tuple[Fact, bytes]], signed: SignedProofs, answers: DossierAnswers, html: bytes
) -> bytes:
    """The file's bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as zipped:
        for name, content in _members(facts, signed, answers, html):
            zipped.writestr(zipfile.ZipInfo(name, _NO_DATE), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _members(
    facts: Sequence[tuple[Fact, bytes]], signed: SignedProofs, answers: DossierAnswers, html: bytes
) -> Iterator[tuple[str, bytes]]:
    yield "manifest.json", _json(_manifest(facts, signed, answers))
    yield "facts.jsonl", b"".join(raw + b"\n" for _, raw in facts)
    yield "checkpoint", signed.note.encode()
    for seq, proof in signed.files.items():
        yield f"proofs/{seq}", proof.encode()
    for name, answer in answers.computed().items():
        yield f"answers/{name}.json", _json(answer)
    for name, answer in answers.told().items():
        yield f"told/{name}.json", _json(answer)
    yield "dossier.html", html


def _manifest(facts: Sequence[tuple[Fact, bytes]], signed: SignedProofs, answers: DossierAnswers) -> Json:
    return {
        "format": FORMAT,
        "workspace": facts[0][0].workspace,
        "objective": answers.objective["objective"]["id"],
        "position": answers.objective["position"],
        "token": answers.token,
        "facts": len(facts),
        "log": signed.head.origin,
        "log_size": signed.head.size,
    }


def _json(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
