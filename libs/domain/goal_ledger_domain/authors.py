"""Whose word and text it is: the actor's; in an import, the person named."""

from __future__ import annotations

from goal_ledger_domain import text
from goal_ledger_domain.command import Meta
from goal_ledger_domain.person import may_write_text, person
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World


def need_author(world: World, meta: Meta, author: str | None) -> str | None:
    """The author named (``person/<id>``), None: the actor. Refuses one named outside an import."""
    if author is None:
        return None
    if not meta.importing:
        raise Refusal("author_only_in_import", "Only an import names the author.", field="author")
    _, id = text.reference(author, "author", "person")
    person(world, id, "author")
    return author


def need_writable(world: World, meta: Meta, author: str | None) -> None:
    """New text can be sealed with the key of its author: not once that person is shredded."""
    subject = author or meta.actor
    if not may_write_text(world, subject):
        raise Refusal("person_shredded", f"{subject} is shredded: no new text is taken.", field="author")
