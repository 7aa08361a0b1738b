"""An auditor's dossier from the running stack: a browser opens it, the offline verifier accepts its bundle and names tampering."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_client import GoalLedger
from goal_ledger_local.stack import Stack

GOAL = "web-shop"
BROWSER = shutil.which("chromium")


@pytest.fixture(scope="module")
async def folder(demo: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page and the bundle as the command line wrote them, and the log's key."""
    made, at = tmp_path_factory.mktemp("dossier"), demo.describe()
    told = {
        **os.environ,
        "GOAL_LEDGER_COMMAND_URL": at["command_url"],
        "GOAL_LEDGER_QUERY_URL": at["query_url"],
        "GOAL_LEDGER_TOKEN": at["tokens"]["auditor"],
    }
    for words in (["--out", str(made / "page.html")], ["--bundle", "--out", str(made / "bundle.zip")]):
        done = _run("goal-ledger", "dossier", GOAL, *words, env=told)
        assert done.returncode == 0, done.stderr
    with GoalLedger(at["command_url"], at["query_url"], at["tokens"]["auditor"]) as auditor:
        (made / "key").write_text(auditor.send("GET", "/v1/log/key").json()["verifier_key"])
    return made


def _run(program: str, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    path = Path(sys.executable).with_name(program)
    return subprocess.run(
        [str(path), *words], env=env, capture_output=True, text=True, timeout=120, check=False
    )


def verified(bundle: Path, key: Path) -> tuple[int, dict[str, Any]]:
    told = _run("goal-ledger-verify", str(bundle), "--key", str(key), "--json")
    assert told.stdout, told.stderr
    return told.returncode, json.loads(told.stdout)


async def test_the_verifier_accepts_the_bundle_and_computes_its_numbers_again(folder: Path) -> None:
    code, report = verified(folder / "bundle.zip", folder / "key")
    assert (code, report["verdict"], report["findings"]) == (0, "whole", [])
    checked = report["checked"]
    facts = checked["facts: canonical bytes, versions, chains"]
    assert facts == checked["of them proven under the signed head"] > 20
    assert checked["heads signed by a key given"] == 1
    assert checked["saved answers"] == 2
    assert checked["members of them computed again"] > 100
    assert report["log"]["objective"] == GOAL
    told = _run("goal-ledger-verify", str(folder / "bundle.zip"), "--key", str(folder / "key"))
    assert told.stdout.endswith("Nothing found.\n")


def _changed(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        assert old in members[name], name
        members[name] = members[name].replace(old, new, 1)

    return change


def _fact_left_out(members: dict[str, bytes]) -> None:
    lines = members["facts.jsonl"].splitlines(keepends=True)
    own = [one for one in lines if b'"stream":"objective/web-shop"' in one]
    members["facts.jsonl"] = b"".join(one for one in lines if one != own[len(own) // 2])


def _proof_left_out(members: dict[str, bytes]) -> None:
    del members[min(one for one in members if one.startswith("proofs/"))]


def _proofs_swapped(members: dict[str, bytes]) -> None:
    first, second, *_ = (one for one in members if one.startswith("proofs/"))
    members[first], members[second] = members[second], members[first]


def _signed_by_another(members: dict[str, bytes]) -> None:
    """A byte of the signature is another, in the checkpoint and in every proof."""
    name, written = members["checkpoint"].decode().splitlines()[-1].rsplit(" ", 1)
    raw = bytearray(base64.b64decode(written))
    raw[20] ^= 1
    old, new = f"{name} {written}".encode(), f"{name} {base64.b64encode(raw).decode()}".encode()
    for one in members:
        if one == "checkpoint" or one.startswith("proofs/"):
            members[one] = members[one].replace(old, new)


def _edited_score(members: dict[str, bytes]) -> None:
    answer = json.loads(members["answers/objective.json"])
    answer["objective"]["score"] = "0.987654321"
    members["answers/objective.json"] = json.dumps(answer).encode()


TAMPERINGS: tuple[tuple[Callable[[dict[str, bytes]], None], str, str], ...] = (
    (
        _changed("facts.jsonl", b'"type":"ObjectiveActivated"', b'"type":"ObjectiveArchived"'),
        "proof_wrong",
        "proofs/",
    ),
    (_changed("facts.jsonl", b"}\n{", b" }\n{"), "not_canonical", "facts.jsonl:1"),
    (_fact_left_out, "version_wrong", "facts.jsonl"),
    (_proof_left_out, "proof_missing", ""),
    (_proofs_swapped, "proof_wrong", "proofs/"),
    (_signed_by_another, "signature_wrong", "checkpoint"),
    (_edited_score, "answer_differs", "answers/objective.json"),
    (lambda members: members.pop("facts.jsonl") and None, "dossier_broken", ""),
    (lambda members: members.pop("checkpoint") and None, "not_a_head", "checkpoint"),
)


@pytest.mark.parametrize("number", range(len(TAMPERINGS)))
async def test_what_was_tampered_with_is_refused_at_its_place(
    folder: Path, tmp_path: Path, number: int
) -> None:
    tamper, code, place = TAMPERINGS[number]
    with zipfile.ZipFile(folder / "bundle.zip") as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    tamper(members)
    with zipfile.ZipFile(tmp_path / "tampered.zip", "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    exit_code, report = verified(tmp_path / "tampered.zip", folder / "key")
    found = {(one["code"], place in one["place"]) for one in report["findings"]}
    assert exit_code == 1
    assert (code, True) in found, report["findings"]


async def test_a_flipped_byte_of_the_file_is_named_or_the_file_is_no_bundle(
    folder: Path, tmp_path: Path
) -> None:
    raw = bytearray((folder / "bundle.zip").read_bytes())
    with zipfile.ZipFile(folder / "bundle.zip") as whole:
        at = whole.getinfo("facts.jsonl").header_offset
    raw[at + 200] ^= 1
    (tmp_path / "flipped.zip").write_bytes(raw)
    exit_code, report = verified(tmp_path / "flipped.zip", folder / "key")
    assert exit_code == 1
    assert any(
        one["code"] == "dossier_broken" and "facts.jsonl" in one["place"] for one in report["findings"]
    )


async def test_another_logs_key_does_not_do(folder: Path, demo: Stack, tmp_path: Path) -> None:
    name, _, rest = (folder / "key").read_text().partition("+")
    (tmp_path / "key").write_text(f"{name}+{rest}")
    code, report = verified(folder / "bundle.zip", tmp_path / "key")
    assert (code, report["findings"]) == (0, [])


def _width_of(html: str, width: int, folder: Path) -> int:
    """How wide the page is laid out in a frame of ``width`` pixels; a browser's own window is at least 500 wide."""
    frame = f'<iframe style="width:{width}px;height:2000px;border:0" srcdoc="{escape(html)}"></iframe>'
    script = "document.title = document.querySelector('iframe').contentDocument.documentElement.scrollWidth"
    (folder / "frame.html").write_text(
        f"<title>-</title>{frame}<script>onload = () => {{ {script} }}</script>"
    )
    words = ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1300,2000", "--dump-dom")
    shown = subprocess.run(
        [str(BROWSER), *words, f"--user-data-dir={folder}/profile", f"file://{folder}/frame.html"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    title = shown.stdout.partition("<title>")[2].partition("</title>")[0]
    assert title.isdigit(), shown.stderr[-500:]
    return int(title)


@pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed (Debian: apt install chromium)")
@pytest.mark.parametrize("width", [1200, 360])
async def test_a_browser_shows_the_page_without_scrolling_sideways(
    folder: Path, tmp_path: Path, width: int
) -> None:
    assert _width_of((folder / "page.html").read_text(), width, tmp_path) <= width
