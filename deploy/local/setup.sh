#!/usr/bin/env bash
# Makes .venv as requirements.lock says, with the members given as arguments editable in it, then sees to
# Java, Maven and PostgreSQL. Called by make; quick when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/../.."

began=$SECONDS
say() { echo "Setting up ($((SECONDS - began)) s): $1"; }

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Python 3.11 or newer was looked for as '$python' and not found: install it, or name it: make PYTHON=…" >&2
  exit 1
fi

make_venv() { "$python" -m venv .venv >/dev/null 2>&1; }
say "the virtual environment .venv"
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  if ! make_venv; then
    rm -rf .venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y python3-venv; } >/dev/null || true
    fi
    if ! make_venv; then
      echo "Python's module venv does not work: install it (Debian, Ubuntu: apt-get install python3-venv)." >&2
      exit 1
    fi
  fi
fi

uv=.venv/bin/uv
if [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" != "$UV_VERSION" ]; then
  .venv/bin/python -m pip install -q --disable-pip-version-check "uv==$UV_VERSION"
fi
say "the packages of requirements.lock"
editable=()
for member in "$@"; do editable+=(-e "./$member"); done
# Compiled once here, a process starts in a third of the time, also where Python is told to write no bytecode.
"$uv" pip install -q --compile-bytecode --python .venv/bin/python --require-hashes -r requirements.lock
"$uv" pip install -q --python .venv/bin/python --no-deps --no-build-isolation "${editable[@]}"
.venv/bin/python -m compileall -q libs services deploy
if ! lacking=$("$uv" pip check -q --python .venv/bin/python 2>&1); then
  printf 'requirements.lock is not what the members declare (make lock writes it anew):\n%s\n' "$lacking" >&2
  exit 1
fi
say "Java, the jars of Apache Kafka, PostgreSQL"
.venv/bin/python -m goal_ledger_local tools --install
