"""How many files an addition touches: done in a copy of the tree, and tried there by a program of its own.

A fact with its command is four files: its contract, its stream's file of the domain, its API file, its read model. A
kind of measure is four. Whoever finds a fifth has found a list that is kept by hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).with_name("additions")
PARTS = ("libs", "services")
CONTRACTS, DOMAIN, SCORING = (f"libs/{one}/goal_ledger_{one}" for one in ("contracts", "domain", "scoring"))
COMMAND, PROJECTION = (f"services/{one}/goal_ledger_{one}" for one in ("command", "projection"))
FILES_MAX = 4
ROWS = "DECIDER = Decider(\n    commands={\n"


@dataclass
class Tree:
    """A copy of the product."""

    root: Path
    touched: set[str] = field(default_factory=set)

    def put(self, file: str, before: str, text: str) -> None:
        """The text before the first place of ``before``; an empty one: at the end."""
        self._replace(file, before, text + before)

    def after(self, file: str, place: str, text: str) -> None:
        """The text after the first place of ``place``."""
        self._replace(file, place, place + text)

    def _replace(self, file: str, place: str, text: str) -> None:
        path = self.root / file
        source = path.read_text(encoding="utf-8")
        start = source.index(place) if place else len(source)
        path.write_text(source[:start] + text + source[start + len(place) :], encoding="utf-8")
        self.touched.add(file)


FACT = """

@dataclass(frozen=True, slots=True)
class {name}:
    {member}
"""


def a_fact_of_a_goal(tree: Tree) -> None:
    domain = f"{DOMAIN}/objective.py"
    tree.put(
        f"{CONTRACTS}/objective.py",
        "",
        FACT.format(name="ObjectiveParked", member="until: str | None = None"),
    )
    tree.put(
        domain,
        "DECIDER = ",
        """@dataclass(frozen=True, slots=True)
class ParkObjective:
    meta: Meta
    objective: str
    until: str | None = None


def _park(world: World, command: ParkObjective, situation: Situation) -> Decision:
    state, data = known(world, command.objective), facts.ObjectiveParked(command.until)
    if world.get("parked", command.objective) == data:
        return same(state)
    return define(world, command.meta, situation, state, data, "pausing an objective", reason_once_active=False)


def _fold_parking(world: World, fact: Fact) -> None:
    world.put("parked", fact.stream_id, fact.data)
    defines()(world, fact)


""",
    )
    tree.after(
        domain,
        ROWS,
        '        ParkObjective: Rule(_park, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),\n',
    )
    tree.put(domain, "        facts.ObjectiveReworded: ", "        facts.ObjectiveParked: _fold_parking,\n")
    tree.put(
        f"{COMMAND}/api/objectives.py",
        "",
        '''

class Parking(CommandBody):
    until: str | None = None


from goal_ledger_domain.objective import ParkObjective


@commands.post("/v1/objectives/{objective}/park")
def park_objective(meta: Meta, objective: str, body: Parking) -> ParkObjective:
    """Park an objective."""
    return ParkObjective(meta, objective=objective, until=body.until)
''',
    )
    tree.put(
        f"{PROJECTION}/read_models/objective.py",
        '    "ObjectiveReworded": ',
        '    "ObjectiveParked": lambda _, fact: {"parked": fact.data},\n',
    )


def a_fact_of_a_unit(tree: Tree) -> None:
    domain, read_model = f"{DOMAIN}/unit.py", f"{PROJECTION}/read_models/unit.py"
    tree.put(f"{CONTRACTS}/unit.py", "", FACT.format(name="UnitRecoloured", member="colour: str"))
    tree.put(
        domain,
        "DECIDER = ",
        """from goal_ledger_contracts.unit import UnitRecoloured


@dataclass(frozen=True, slots=True)
class RecolourUnit:
    meta: Meta
    unit: str
    colour: str


def _recolour(world: World, command: RecolourUnit, situation: Situation) -> Decision:
    before, data = open_unit(world, command.unit), UnitRecoloured(text.line(command.colour, "colour"))
    if world.get("colour", command.unit) == data.colour:
        return nothing_new(command.unit, f"unit/{command.unit}")
    recoloured = draft(command.meta, situation, f"unit/{command.unit}", data, after=before.last_effective_at)
    return Decision(command.unit, recoloured.stream, (recoloured,))


def _fold_colour(world: World, fact: Fact) -> None:
    world.put("colour", fact.stream_id, fact.data.colour)


""",
    )
    tree.after(
        domain,
        ROWS,
        '        RecolourUnit: Rule(_recolour, may=Permission.ORGANISE, on=WORKSPACE, shows="unit"),\n',
    )
    tree.put(domain, "", "DECIDER.folds[UnitRecoloured] = _fold_colour\n")
    tree.put(
        f"{COMMAND}/api/units.py",
        "",
        '''

class Colour(CommandBody):
    colour: str


from goal_ledger_domain.unit import RecolourUnit


@commands.post("/v1/units/{unit}/recolour")
def recolour_unit(meta: Meta, unit: str, body: Colour) -> RecolourUnit:
    """Give a unit another colour."""
    return RecolourUnit(meta, unit=unit, colour=body.colour)
''',
    )
    tree.put(
        read_model,
        '        case "UnitRenamed":',
        '        case "UnitRecoloured":\n            return {"colour": data["colour"]}\n',
    )


def a_kind_of_measure(tree: Tree) -> None:
    tree.put(
        f"{CONTRACTS}/measures.py",
        "Simple = ",
        '''@dataclass(frozen=True, slots=True)
class Double:
    """Twice ``base``, or nothing."""

    kind: ClassVar[str] = "double"
    base: Decimal
    unit: str | None = None
    window: Window | None = None


''',
    )
    tree.put(f"{CONTRACTS}/measures.py", "Increase | Decrease", "Double | ")
    tree.put(
        f"{DOMAIN}/measure.py",
        "        case StayBetween():\n            _band",
        '        case measures.Double(base) if base <= 0:\n            _mismatch("The base is above 0.", f"{field}/base")\n',
    )
    tree.put(
        f"{DOMAIN}/measure.py",
        "from goal_ledger_contracts.measures",
        "from goal_ledger_contracts import measures\n",
    )
    tree.put(
        f"{SCORING}/measures.py",
        "_WITH_BASELINE",
        """from goal_ledger_contracts.measures import Double

_FORMULAS[Double] = lambda measure, n, d: ONE if n >= multiply(measure.base, Decimal(2 * d)) else ZERO

""",
    )
    tree.put(
        f"{COMMAND}/api/measures.py",
        "SimpleBody = ",
        """class DoubleBody(_Windowed):
    kind: Literal["double"]
    base: Number
    unit: str | None = None

    def definition(self) -> measures.Double:
        return measures.Double(self.base, self.unit, self._window())


""",
    )
    for union in ("SimpleBody = Annotated[\n", "MeasureBody = Annotated[\n"):
        tree.after(f"{COMMAND}/api/measures.py", union, "    DoubleBody |\n")


ADDITIONS = (a_fact_of_a_goal, a_fact_of_a_unit, a_kind_of_measure)


@pytest.fixture(scope="module")
def touched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The files that each addition touches, in one copy of the product."""
    root, found = tmp_path_factory.mktemp("copy"), {}
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part)
    for add in ADDITIONS:
        tree = Tree(root)
        add(tree)
        found[add.__name__] = tree.touched
    paths = [str(one) for part in PARTS for one in (root / part).iterdir()]
    told = subprocess.run(
        [sys.executable, PROGRAMS / "try_all.py", root, *found],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return found


@pytest.mark.parametrize("addition", ADDITIONS)
def test_an_addition_touches_four_files_at_most(
    addition: Callable[[Tree], None], touched: dict[str, set[str]]
) -> None:
    """And what is added works, all the way from a body to the rows of the read side."""
    assert len(touched[addition.__name__]) <= FILES_MAX
