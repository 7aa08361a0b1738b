"""Cycles, units and people: who there is and when goals run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from goal_ledger_client.cli.session import AsJson, AsOf, At, KnownAt, Reason, out, query, send, without_none
from goal_ledger_client.cli.showing import table

cycle = typer.Typer(help="Cycles: plan, open, lock, close …", no_args_is_help=True)
unit = typer.Typer(help="Units: add, rename, move, name a lead …", no_args_is_help=True)
people = typer.Typer(help="People: add, seat in a unit …", no_args_is_help=True)

CycleId = Annotated[str, typer.Argument(help="Id of the cycle")]
UnitId = Annotated[str, typer.Argument(help="Id of the unit")]
PersonId = Annotated[str, typer.Argument(help="Id of the person")]
NewId = Annotated[str | None, typer.Option("--id", help="Chosen by you, else one is made")]
FirstDay = Annotated[str, typer.Option(help="First day, YYYY-MM-DD")]
LastDay = Annotated[str, typer.Option(help="Last day, YYYY-MM-DD, included")]


@cycle.command("list")
def cycles(
    context: typer.Context, as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False
) -> None:
    """The cycles.

    Example: goal-ledger cycle list
    """
    query(context, "/v1/cycles", _tell_cycles, as_json, as_of=as_of, known_at=known_at)


def _tell_cycles(body: dict[str, Any]) -> None:
    names = ("id", "name", "start", "end", "stage", "parent")
    rows = [[one[name] for name in names] for one in body["items"]]
    out.print(table("Cycle", "Name", "First day", "Last day", "State", "Within", rows=rows))


@cycle.command("plan")
def plan(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it")],
    start: FirstDay,
    end: LastDay,
    id: NewId = None,
    parent: Annotated[str | None, typer.Option(help="The cycle that it lies in")] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Plan a cycle.

    Example: goal-ledger cycle plan "First quarter" --id 2027-q1 --start 2027-01-01 --end 2027-03-31
    """
    body = without_none(id=id, name=name, start=start, end=end, parent=parent, effective_at=at)
    send(context, "/v1/cycles", body, "cycle", as_json)


def _verb(name: str, help_text: str, options: str = "") -> None:
    def run(
        context: typer.Context, id: CycleId, reason: Reason = None, at: At = None, as_json: AsJson = False
    ) -> None:
        body = without_none(reason=reason, effective_at=at)
        send(context, f"/v1/cycles/{id}/{name}", body, f"cycle {name}:", as_json)

    run.__doc__ = f"{help_text}\n\nExample: goal-ledger cycle {name} 2027-q1{options}"
    cycle.command(name)(run)


_verb("open", "Open a cycle: its goals may be worked on.")
_verb("lock", "Lock a cycle for grading: definitions change no more, save by an admin.")
_verb("close", "Close a cycle, once none of its goals is draft or active.")
_verb("reopen", "Reopen a locked or closed cycle. Needs --reason.", ' --reason "A goal was forgotten"')


@cycle.command("move-dates")
def move_dates(
    context: typer.Context,
    id: CycleId,
    start: FirstDay,
    end: LastDay,
    reason: Annotated[str, typer.Option(help="Why")],
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Move a cycle's dates.

    Example: goal-ledger cycle move-dates 2027-q1 --start 2027-01-04 --end 2027-04-02 --reason "Whole weeks"
    """
    body = without_none(start=start, end=end, reason=reason, effective_at=at)
    send(context, f"/v1/cycles/{id}/move-dates", body, "dates of", as_json)


@unit.command("list")
def units(
    context: typer.Context, as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False
) -> None:
    """The units and who is in them.

    Example: goal-ledger unit list
    """
    query(context, "/v1/units", _tell_units, as_json, as_of=as_of, known_at=known_at)


def _tell_units(body: dict[str, Any]) -> None:
    names = ("id", "name", "parent", "lead", "people", "waves", "stage")
    rows = [[one[name] for name in names] for one in body["items"]]
    out.print(table("Unit", "Name", "Within", "Lead", "People", "Pilot waves", "State", rows=rows))


@unit.command("add")
def add_unit(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it")],
    id: NewId = None,
    parent: Annotated[str | None, typer.Option(help="The unit that it lies in")] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add a unit.

    Example: goal-ledger unit add "Northern sales" --id north --parent sales
    """
    body = without_none(id=id, name=name, parent=parent, effective_at=at)
    send(context, "/v1/units", body, "unit", as_json)


@unit.command("lead")
def lead(
    context: typer.Context,
    id: UnitId,
    person: Annotated[str | None, typer.Argument(help="Left out: nobody leads it")] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Name a unit's lead.

    Example: goal-ledger unit lead north ada
    """
    body = {"person": person, **without_none(effective_at=at)}
    send(context, f"/v1/units/{id}/lead", body, "lead of", as_json)


@people.command("list")
def persons(
    context: typer.Context, as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False
) -> None:
    """The people and their units.

    Example: goal-ledger people list
    """
    query(context, "/v1/people", _tell_persons, as_json, as_of=as_of, known_at=known_at)


def _tell_persons(body: dict[str, Any]) -> None:
    rows = [[one[name] for name in ("id", "display_name", "units", "shredded")] for one in body["items"]]
    out.print(table("Person", "Name", "Units", "Shredded", rows=rows))


@people.command("add")
def add_person(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Display name; personal text, sealed")],
    id: NewId = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add a person.

    Example: goal-ledger people add "Bo Lund" --id bo
    """
    send(context, "/v1/people", without_none(id=id, display_name=name, effective_at=at), "person", as_json)


@people.command("join")
def join(
    context: typer.Context, person: PersonId, unit: UnitId, at: At = None, as_json: AsJson = False
) -> None:
    """Seat a person in a unit.

    Example: goal-ledger people join bo north
    """
    body = without_none(unit=unit, effective_at=at)
    send(context, f"/v1/people/{person}/join-unit", body, "seated:", as_json)


@people.command("leave")
def leave(
    context: typer.Context, person: PersonId, unit: UnitId, at: At = None, as_json: AsJson = False
) -> None:
    """Take a person out of a unit.

    Example: goal-ledger people leave bo north
    """
    body = without_none(unit=unit, effective_at=at)
    send(context, f"/v1/people/{person}/leave-unit", body, "out of the unit:", as_json)


@people.command("begin-leave")
def begin_leave(
    context: typer.Context,
    person: PersonId,
    reason: Annotated[str, typer.Option(help="Why")],
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """A person goes on leave: he or she owes no words, nor do the goals that the person owns.

    Example: goal-ledger people begin-leave bo --reason "Parental leave"
    """
    body = {"reason": reason, **without_none(effective_at=at)}
    send(context, f"/v1/people/{person}/begin-leave", body, "on leave:", as_json)


@people.command("end-leave")
def end_leave(context: typer.Context, person: PersonId, at: At = None, as_json: AsJson = False) -> None:
    """A person is back from leave.

    Example: goal-ledger people end-leave bo
    """
    send(context, f"/v1/people/{person}/end-leave", without_none(effective_at=at), "back:", as_json)


@people.command("link")
def link(
    context: typer.Context,
    person: PersonId,
    issuer: Annotated[str, typer.Option(help="Of the person's tokens: claim iss")],
    subject: Annotated[str, typer.Option(help="Of the person's tokens: claim sub; opaque, in clear")],
    as_json: AsJson = False,
) -> None:
    """Link an identity to a person: from now on his or her token signs in.

    Example: goal-ledger people link bo --issuer https://login.example.org --subject 7f3a
    """
    body = {"person": person, "issuer": issuer, "subject": subject}
    send(context, "/v1/identities", body, "identity of", as_json)


def register(app: typer.Typer) -> None:
    app.add_typer(cycle, name="cycle")
    app.add_typer(unit, name="unit")
    app.add_typer(people, name="people")
