"""The offline verifier is installed from wheels of its own four packages and what they declare, and runs without a network."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from verifier.signed import Signed, signed_life

ROOT = Path(__file__).parents[2]
OURS = "goal-ledger-"
NO_NETWORK = """
import sys

def refuse(event, arguments):
    if event.startswith("socket."):
        raise PermissionError(f"{event}: nobody is asked")

sys.addaudithook(refuse)
"""


def declared(name: str) -> set[str]:
    """What an installed package needs, and what that needs, itself included."""
    found = {name}
    for one in map(Requirement, metadata.requires(name) or ()):
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            found |= declared(one.name)
    return found


def copy(name: str, into: Path) -> None:
    """An outside package, as it is installed here."""
    for file in metadata.files(name) or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            path = into / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(Path(str(file.locate())).read_bytes())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in an environment that holds nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    uv, needed = Path(sys.executable).with_name("uv"), declared(f"{OURS}verifier")
    for name in (one for one in needed if one.startswith(OURS)):
        source = ROOT / "libs" / name.removeprefix(OURS)
        _run(
            str(uv),
            "build",
            "--quiet",
            "--offline",
            "--wheel",
            "--out-dir",
            str(folder / "wheels"),
            str(source),
        )
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder / "environment"))
    python = folder / "environment/bin/python"
    library = next((folder / "environment/lib").glob("python*/site-packages"))
    for name in (one for one in needed if not one.startswith(OURS)):
        copy(name, library)
    (library / "no_network.py").write_text(NO_NETWORK)
    (library / "no_network.pth").write_text("import no_network\n")
    wheels = [str(one) for one in (folder / "wheels").glob("*.whl")]
    _run(str(uv), "pip", "install", "--quiet", "--offline", "--no-index", "--python", str(python), *wheels)
    return folder / "environment/bin/goal-ledger-verify"


def _run(*words: str) -> str:
    ran = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_it_needs_four_packages_of_ours_and_two_of_others() -> None:
    needed = declared(f"{OURS}verifier")
    assert {one for one in needed if one.startswith(OURS)} == {
        f"{OURS}{name}" for name in ("contracts", "scoring", "history", "verifier")
    }
    assert {one for one in needed if not one.startswith(OURS)} <= {
        "cryptography",
        "cffi",
        "pycparser",
        "tzdata",
    }


def test_it_verifies_a_log_with_no_other_package_and_no_network(alone: Path, tmp_path: Path) -> None:
    of = signed_life(9)
    told = json.loads(_run(str(alone), *_given(of, tmp_path), "--json"))
    assert (told["verdict"], told["log"]["facts"]) == ("whole", len(of.lines))
    refused = subprocess.run(
        [str(alone.with_name("python")), "-c", "import socket; socket.socket()"],
        capture_output=True,
        text=True,
    )
    assert "nobody is asked" in refused.stderr


def test_what_it_finds_there_is_told_by_its_exit_code_and_its_last_line(alone: Path, tmp_path: Path) -> None:
    of = signed_life(9)
    words = _given(Signed(of.workspace, of.lines[:-3], of.heads), tmp_path)
    ran = subprocess.run([str(alone), *words], capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (1, "1 finding.")


def _given(of: Signed, folder: Path) -> list[str]:
    (folder / "log.jsonl").write_bytes(b"".join(line + b"\n" for line in of.lines))
    (folder / "head").write_text(of.heads[-1])
    return [str(folder / "log.jsonl"), "--key", of.key, "--head", str(folder / "head")]
