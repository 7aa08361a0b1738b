"""For auditors: the log into a folder, with its key and newest head, and the dossier of a goal, for ``goal-ledger-verify``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from goal_ledger_client.cli.moving import bar
from goal_ledger_client.cli.session import (
    REFUSED,
    AsJson,
    AsOf,
    KnownAt,
    connected,
    fail,
    line,
    tell_json,
    without_none,
)
from goal_ledger_client.client import GoalLedger
from goal_ledger_client.erasure import KEY_BACKUPS_DAYS, certificate

PAGE_FACTS = 5000
READ_AT_ONCE_BYTES = 1 << 20


def audit(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help="Made if it is not there; a second time what is new is added")
    ],
    as_json: AsJson = False,
) -> None:
    """Keep the log, its key and its newest signed head (role auditor).

    FOLDER/log.jsonl: one fact per line, its stored bytes. FOLDER/key: the verifier key, written once and compared later.
    FOLDER/heads/<epoch>-<size>: a head for each time this was run; none is ever changed.

    Example: goal-ledger audit kept && goal-ledger-verify kept/log.jsonl --key kept/key --head kept/heads
    """
    heads = folder / "heads"
    heads.mkdir(parents=True, exist_ok=True)
    with connected(context) as ledger:
        _keep_key(ledger, folder / "key")
        note = ledger.send("GET", "/v1/log/checkpoint").text
        facts = _add_facts(ledger, folder / "log.jsonl")
    origin, size, *_ = note.split("\n")
    (heads / f"{origin.rpartition('/')[2]}-{size}").write_text(note)
    if as_json:
        return tell_json({"file": str(folder / "log.jsonl"), "facts": facts, "head": int(size)})
    line(f"{facts} facts in {folder / 'log.jsonl'}; a head over {size} in {heads}")


def _keep_key(ledger: GoalLedger, file: Path) -> None:
    """Add the keys of a new epoch; ends with REFUSED if one of the same name and kind is another."""
    told = ledger.send("GET", "/v1/log/key").json()
    keys = [key for key in (told["verifier_key"], told.get("ml_dsa_44_verifier_key")) if key is not None]
    known = file.read_text().splitlines() if file.exists() else []
    held = dict(map(_log_and_key, known))
    for log, public in map(_log_and_key, keys):
        if held.get(log, public) != public:
            fail(REFUSED, f"The ledger's key is no longer the one in {file}.")
    file.write_text("".join(f"{one}\n" for one in [*known, *(key for key in keys if key not in known)]))


def _log_and_key(written: str) -> tuple[tuple[str, int], str]:
    """The log without its epoch, and how long the key is, which tells its kind; the key."""
    origin, _, public = written.split("+", 2)
    return (origin.rpartition("/")[0], len(public)), public


def _add_facts(ledger: GoalLedger, file: Path) -> int:
    """What comes behind the facts in the file; how many it has then. A line that was broken off is taken away."""
    facts = _whole_lines(file)
    with file.open("ab") as kept, bar() as progress:
        task = progress.add_task("facts", total=None)
        for page in _pages(ledger, facts):
            kept.write(page)
            facts += page.count(b"\n")
            progress.update(task, completed=facts)
    return facts


def _pages(ledger: GoalLedger, after: int) -> Iterator[bytes]:
    while page := ledger.send("GET", f"/v1/log?after={after}&limit={PAGE_FACTS}").content:
        yield page
        after += page.count(b"\n")


def _whole_lines(file: Path) -> int:
    if not file.exists():
        return 0
    lines = whole = read = 0
    with file.open("r+b") as kept:
        while block := kept.read(READ_AT_ONCE_BYTES):
            lines += block.count(b"\n")
            last = block.rfind(b"\n")
            whole = read + last + 1 if last >= 0 else whole
            read += len(block)
        kept.truncate(whole)
    return lines


def dossier(
    context: typer.Context,
    objective: Annotated[str, typer.Argument(help="Id of the objective")],
    file: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to; left out: dossier-<objective>.html or .zip here"),
    ] = None,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Facts, proofs and answers as a zip for goal-ledger-verify")
    ] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """All of one goal in a file: commitment, amendments, check-ins, both scores, attribution, grade, words and the record. Needs
    the role auditor, analyst or admin.

    Example: goal-ledger dossier growth --out growth.html

    Example: goal-ledger dossier growth --bundle -o growth.zip && goal-ledger-verify growth.zip --key kept/key
    """
    where = file or Path(f"dossier-{objective}.{'zip' if bundle else 'html'}")
    with connected(context) as ledger:
        content = ledger.dossier(objective, bundle=bundle, **without_none(as_of=as_of, known_at=known_at))
    where.write_bytes(content)
    if as_json:
        return tell_json({"file": str(where), "bytes": len(content)})
    line(f"{where}: {len(content):,} bytes")


def erasure(
    context: typer.Context,
    person: Annotated[str, typer.Argument(help="Id of a person who was shredded")],
    file: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to; left out: erasure-<person>.json here")
    ] = None,
    key_backups_days: Annotated[
        int, typer.Option(min=0, help="How long the operator keeps backups of keys")
    ] = KEY_BACKUPS_DAYS,
    as_json: AsJson = False,
) -> None:
    """A certificate that a person's texts were erased: the fact and its proof under a signed head (role auditor).

    Example: goal-ledger erasure kari && goal-ledger-verify erasure-kari.json --key kept/key
    """
    where = file or Path(f"erasure-{person}.json")
    with connected(context) as ledger:
        content = certificate(ledger, person, key_backups_days)
    where.write_bytes(content)
    if as_json:
        return tell_json({"file": str(where), "bytes": len(content)})
    line(f"{where}: {len(content):,} bytes")


def register(app: typer.Typer) -> None:
    """The commands of this file."""
    app.command("audit")(audit)
    app.command("dossier")(dossier)
    app.command("erasure")(erasure)
