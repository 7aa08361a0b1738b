"""The folded state of one workspace: what decisions need, each piece an immutable state under (kind, id).

A batch is decided on a branch: its changes lie over the committed state and are absorbed when the batch is committed,
or dropped. Nothing below a branch is ever changed by it.

Kinds: ``workspace`` (one, id ``""``), ``unit``, ``person``, ``cycle``, ``objective``, ``feed``, ``moment``, ``system``,
``identity`` (issuer, subject), ``key`` (id), ``roles`` (holder), ``unlinked`` (identity), ``policy`` (scope),
``touched`` (scope), ``wave`` and the index
``key-result`` (id → objective id).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Name = tuple[str, str]


class World:
    """States by (kind, id), over a base that is only read."""

    __slots__ = ("_base", "_changes")

    def __init__(self, base: World | None = None) -> None:
        self._base = base
        self._changes: dict[Name, Any] = {}

    def get(self, kind: str, id: str) -> Any:
        """The state, or None."""
        world: World | None = self
        name = (kind, id)
        while world is not None:
            if name in world._changes:
                return world._changes[name]
            world = world._base
        return None

    def put(self, kind: str, id: str, state: Any) -> None:
        """The new state; None takes it away."""
        self._changes[kind, id] = state

    def all(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Every (id, state) of a kind. Walks the whole workspace: for rare commands only."""
        seen: set[Name] = set()
        world: World | None = self
        while world is not None:
            for name, state in world._changes.items():
                if name[0] == kind and name not in seen:
                    seen.add(name)
                    if state is not None:
                        yield name[1], state
            world = world._base

    def branch(self) -> World:
        return World(self)

    def copy(self) -> World:
        """The same states, no longer touched by what is put into this one. Not of a branch."""
        copied = World(self._base)
        copied._changes = dict(self._changes)
        return copied

    def absorb(self, branch: World) -> None:
        """Take over a branch of this world: its batch is committed. A branch of the branch is one of this world then."""
        if branch._base is None or branch._base._changes is not self._changes:
            raise ValueError("not a branch of this world")
        self._changes.update(branch._changes)
        branch._base, branch._changes = self._base, self._changes
