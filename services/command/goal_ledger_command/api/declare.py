"""One declaration per command: its address, its body and the command that they make.

    @commands.post("/v1/units/{unit}/rename")
    def rename_unit(meta: Meta, unit: str, body: UnitName) -> RenameUnit: ...

The function is pure; its signature is what OpenAPI shows. Everything else that a command needs (credential, roles,
idempotency, If-Match, the append) is the same for all of them and lies in ``endpoint.py`` and ``shell.py``.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from goal_ledger_command.api.answers import AnswerDocument
from goal_ledger_command.api.values import Body
from goal_ledger_command.credentials import KeyMaker
from goal_ledger_command.shell import Shell
from goal_ledger_domain.command import Meta

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Told:
    """More members of an answer, the same when it is replayed: read from the record after the command."""

    document: type[AnswerDocument]
    members: Callable[[Shell, str, Mapping[str, str]], Awaitable[dict[str, Any]]]
    """Of the workspace and the path's parameters."""


@dataclass(frozen=True, slots=True)
class Declared:
    path: str
    tag: str
    function: Callable[..., Any]
    body: type[Body]
    parameters: tuple[str, ...]
    """Names of the path's parameters."""
    command: type
    creates: str | None
    """Where what is created can be read, on the query service, with ``{id}`` (of a comment or kudos, whose id is known
    within its objective, ``{objective}`` besides); None: the command acts on what is there."""
    names: Mapping[str, str]
    """What the deciders call otherwise: their field → the body's member or the path's parameter."""
    tells: Told | None = None
    """What the answer says besides."""
    issues_key: bool = False
    """The function also takes a :class:`KeyMaker`; the key it makes is shown in the first answer."""

    @property
    def body_may_be_left_out(self) -> bool:
        return not any(one.is_required() for one in self.body.model_fields.values())

    def place(self, field: str | None) -> str | None:
        """Where a decider's field lies in the request: a JSON pointer into the body, or the path's parameter by name.

        None: it is not in the request.
        """
        if field is None:
            return None
        name, slash, below = field.partition("/")
        name = self.names.get(name, name)
        if name in self.parameters:
            return name
        return f"/{name}{slash}{below}" if name in self.body.model_fields else None

    def make(self, meta: Meta, path_parameters: Mapping[str, str], body: Body, maker: KeyMaker | None) -> Any:
        """The command."""
        if maker is None:
            return self.function(meta, **path_parameters, body=body)
        return self.function(meta, **path_parameters, body=body, maker=maker)


class Commands:
    """The declarations of one resource, in the order in which OpenAPI lists them."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.declared: list[Declared] = []

    def post(
        self, path: str, *, creates: str | None = None, tells: Told | None = None, **names: str
    ) -> Callable[[Function], Function]:
        """Declare the function below as the command at ``POST path``; ``names`` as in :class:`Declared`."""

        def declare(function: Function) -> Function:
            hints = typing.get_type_hints(function)
            parameters = tuple(
                n for n in inspect.signature(function).parameters if n not in ("meta", "body", "maker")
            )
            if parameters != tuple(part[1:-1] for part in path.split("/") if part.startswith("{")):
                raise TypeError(f"{function.__name__} does not take the parameters of {path}")
            self.declared.append(
                Declared(
                    path=path,
                    tag=self.tag,
                    function=function,
                    body=hints["body"],
                    parameters=parameters,
                    command=hints["return"],
                    creates=creates,
                    names=names,
                    tells=tells,
                    issues_key="maker" in hints,
                )
            )
            return function

        return declare
