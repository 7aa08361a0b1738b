"""The version of the fold, which snapshots are marked with: one of another version is thrown away.

States are pickled, so a state with another field cannot be read back: their shapes are part of the version, and nobody
has to think of it. Facts that another fold gives another state are thought of by :data:`RULES_VERSION`.
"""

from __future__ import annotations

import hashlib
import typing
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from types import ModuleType

from goal_ledger_domain import command, decider, target

RULES_VERSION = 5
"""Raised whenever the same facts give another state of the same shape."""


def fold_version(modules: Iterable[ModuleType]) -> str:
    """Of the states that these modules of the domain know."""
    shapes: dict[str, list[str]] = {}
    for module in modules:
        for cls in vars(module).values():
            if is_dataclass(cls) and isinstance(cls, type) and _is_state(cls):
                _note(cls, shapes)
    told = "\n".join(f"{name}: {', '.join(shape)}" for name, shape in sorted(shapes.items()))
    return f"{RULES_VERSION}.{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _is_state(cls: type) -> bool:
    """Of the domain, and neither a command nor what all commands have."""
    of_all = cls.__module__ in (command.__name__, decider.__name__, target.__name__)
    is_command = "meta" in getattr(cls, "__dataclass_fields__", ())
    return cls.__module__.startswith("goal_ledger_domain.") and not of_all and not is_command


def _note(cls: type, shapes: dict[str, list[str]]) -> None:
    """The class's fields, and those of the classes that it holds."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    if name in shapes:
        return
    shapes[name] = [f"{one.name} {one.type}" for one in fields(cls)]
    for hint in typing.get_type_hints(cls).values():
        for held in _classes(hint):
            _note(held, shapes)


def _classes(hint: typing.Any) -> Iterator[type]:
    if is_dataclass(hint) and isinstance(hint, type):
        yield hint
    for argument in typing.get_args(hint):
        yield from _classes(argument)
