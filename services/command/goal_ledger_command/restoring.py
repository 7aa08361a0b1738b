"""What the first own fact of a new epoch says: the last fact kept, and the heads beyond it that are known to be lost.

A lost head is known from outside alone: a checkpoint that somebody saved, a position that somebody was given. The store
that was restored knows neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.position import Position
from goal_ledger_contracts.workspace import LostHead, StoreRestored
from goal_ledger_domain.command import Meta, draft, need_reason
from goal_ledger_domain.workspace import REST, last_effective_at
from goal_ledger_domain.workspace import workspace as workspace_of
from goal_ledger_domain.world import World
from goal_ledger_ledger.checkpoint import BadNote, Checkpoint, parse, verify
from goal_ledger_ledger.epoch import DecidesFork, Fork

MAX_LOST_HEADS = 200
"""Named in the fact; of more the latest. A fact has room for some hundreds."""


@dataclass(slots=True)
class Lost:
    """What is known of one workspace's lost future: the highest epoch seen in it, and heads signed there."""

    epoch: int = 0
    heads: list[Checkpoint] = field(default_factory=list)

    def add_position(self, position: Position) -> None:
        self.epoch = max(self.epoch, position.epoch)

    def add_head(self, head: Checkpoint) -> None:
        self.epoch = max(self.epoch, workspace_and_epoch(head)[1])
        self.heads.append(head)

    def beyond(self, fork: Fork) -> tuple[LostHead, ...]:
        """The heads that the new epoch does not continue, by seq."""
        found = {(head.size, head.root.hex()) for head in self.heads if head.size > fork.seq}
        return tuple(LostHead(seq, root) for seq, root in sorted(found)[-MAX_LOST_HEADS:])


def read_head(note: str, key: Ed25519PublicKey | None, origin: str) -> Checkpoint:
    """A signed head of this installation that somebody saved, also under an origin that it had before: its key tells.

    Without a key the signature is not looked at, and the origin must be the present one. Raises BadNote.
    """
    if key is not None:
        head = verify(note, key)
        workspace_and_epoch(head)
        return head
    head = parse(note)
    workspace, epoch = workspace_and_epoch(head)
    if head.origin != f"{origin}/{workspace}/{epoch}":
        raise BadNote(f"a head of {head.origin}, not of {origin}")
    return head


def workspace_and_epoch(head: Checkpoint) -> tuple[str, int]:
    """Of ``<prefix>/<workspace>/<epoch>``. Raises BadNote."""
    _, _, rest = head.origin.partition("/")
    workspace, _, epoch = rest.rpartition("/")
    if not workspace or not epoch.isdecimal():
        raise BadNote(f"{head.origin} names no workspace and epoch")
    return workspace.rpartition("/")[2], int(epoch)


def by_workspace(heads: Iterable[Checkpoint], positions: Sequence[Position], workspace: str) -> Lost:
    """What is known of one workspace; positions name none, they count for each."""
    lost = Lost()
    for position in positions:
        lost.add_position(position)
    for head in heads:
        if workspace_and_epoch(head)[0] == workspace:
            lost.add_head(head)
    return lost


def store_restored(meta: Meta, lost: Lost) -> DecidesFork:
    """Decides the fact. Refuses ``reason_required``, ``unknown_workspace``."""

    def decide(world: World, situation: Situation, fork: Fork) -> Decision:
        need_reason(meta, "a new epoch")
        here = workspace_of(world)
        data = StoreRestored(fork.seq, fork.epoch, lost.beyond(fork))
        made = draft(meta, situation, here.stream, data, after=last_effective_at(world, REST))
        return Decision(here.id, here.stream, (made,))

    return decide
