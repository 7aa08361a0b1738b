"""A name stands for one thing: classes and types have names of their own across the packages, or stand below with the reason.

Left out are what belongs to one file: private names, type variables, and aliases that only say how a parameter of a route
or a command line is declared (`Annotated[...]`). One alias written alike in several places is one thing. The offline verifier
is a house of its own: it reads the record with code of its own, and says of it what the others say.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

STATES = "each stream has its states, in the words of that stream: a cycle, a unit and a goal are closed, each in its way"
FOLDED = (
    "one thing, as the deciders fold it and as the rules of the past read it: neither may import the other"
)
SHOWN = "one thing, and the shape in which an answer shows it: the name stands in OpenAPI"
TOLD = "one thing, and the body of a command, or the row of an import, that tells it: the name stands in OpenAPI or a schema"
MESSAGE = "one thing, and the message, or document, in which it travels: the name stands in AsyncAPI"
OUTSIDE = "one thing, as the client sees it from outside: it imports nothing of the services"

SEVERAL = {
    "Binding": f"of a feed to a key result: {FOLDED}; {TOLD}; {SHOWN}",
    "Closed": STATES,
    "Closing": f"of an objective: {TOLD}",
    "CommandMark": MESSAGE,
    "CommittedKeyResult": f"what a key result was at the activation: {TOLD}; {SHOWN}",
    "Counted": SHOWN,
    "CycleDates": TOLD,
    "Emitter": OUTSIDE,
    "Fact": MESSAGE,
    "FeedDefinition": f"kind and unit of a feed from one time on: {TOLD}",
    "KeyResult": FOLDED,
    "LeftOut": SHOWN,
    "Link": FOLDED,
    "Open": STATES,
    "Origin": MESSAGE,
    "Problem": OUTSIDE,
    "PutInCycle": "command and fact: the specification calls both so, and *put* is both forms of the word",
    "Reading": f"{MESSAGE}; {OUTSIDE}",
    "Receipt": MESSAGE,
    "Seat": f"of a person in a unit: {TOLD}",
}


def test_a_name_stands_for_one_thing() -> None:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    files = (*ROOT.glob("libs/**/*.py"), *ROOT.glob("services/**/*.py"))
    for file in sorted(file for file in files if ROOT / "libs/verifier" not in file.parents):
        for name, thing in _names(ast.parse(file.read_text())):
            found[name].setdefault(thing or str(file), str(file.relative_to(ROOT)))
    several = {name: sorted(where.values()) for name, where in found.items() if len(where) > 1}
    assert {name: where for name, where in several.items() if name not in SEVERAL} == {}, (
        "one word for two things"
    )
    assert SEVERAL.keys() - several.keys() == set(), "allowed, and no longer so"


def _names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each class with "", each public alias of a type with what it stands for."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                thing = ""
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                thing = ast.unparse(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                thing = ast.unparse(value)
            case _:
                continue
        if name[0].isupper() and name != name.upper() and not thing.startswith(("Annotated[", "TypeVar(")):
            yield name, thing
