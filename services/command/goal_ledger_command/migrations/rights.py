"""What the database role of each process may do: what the process does, and nothing else.

The role that migrates owns the tables. No other may change or delete a fact, begin a fact's sequence anew, or make a
table. The relay reads the facts and keeps its own marks; it has no right in the keys database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

READ, ADD = "SELECT", "SELECT, INSERT"
REPLACE = "SELECT, INSERT, UPDATE"
KEEP = "SELECT, INSERT, UPDATE, DELETE"

RIGHTS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "ledger": {
        "command": {
            "facts": ADD,
            "heads": REPLACE,
            "epochs": ADD,
            "answers": ADD,
            "identities": REPLACE,
            "points": KEEP,
            "snapshots": KEEP,
            "settings": READ,
            "leases": READ,
            "published": "SELECT, DELETE",
            "partition_marks": READ,
            "receipt_marks": READ,
            "emitters": READ,
            "checkpoints": READ,
            "witnessed": READ,
            "tiles": READ,
            "inbox_positions": REPLACE,
            "outcomes": ADD,
            "unsent_answers": READ,
            "imports": KEEP,
            "import_pieces": KEEP,
            "import_outcomes": KEEP,
        },
        "relay": {
            "facts": READ,
            "heads": READ,
            "epochs": READ,
            "identities": READ,
            "settings": ADD,
            "leases": REPLACE,
            "published": KEEP,
            "partition_marks": KEEP,
            "receipt_marks": REPLACE,
            "emitters": ADD,
            "checkpoints": REPLACE,
            "witnessed": REPLACE,
            "tiles": ADD,
            "inbox_positions": READ,
            "outcomes": "SELECT, UPDATE",
            "unsent_answers": KEEP,
        },
    },
    "keys": {"command": {"text_keys": REPLACE}},
}
"""By database, process and table."""


def grants(database: str, roles: Mapping[str, str | None]) -> Iterator[str]:
    """The statements that give each role its process's rights and take all others, of every table there is.

    Raises:
        ValueError: a role's name holds a quotation mark.
    """
    for process, role in roles.items():
        if role is None or process not in RIGHTS[database]:
            continue
        if '"' in role:
            raise ValueError(f"not a role's name: {role}")
        yield f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{role}"'
        yield f'GRANT USAGE ON SCHEMA public TO "{role}"'
        for table, rights in RIGHTS[database][process].items():
            yield f'GRANT {rights} ON "{table}" TO "{role}"'
