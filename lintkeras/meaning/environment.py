"""The variables of its environment that a program sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lintkeras.meaning.values import Arguments, Const, Dict, Symbol, Value

if TYPE_CHECKING:
    from lintkeras.meaning.interpreter import Interpreter

ENVIRONMENT = "os.environ"


def note_set(run: Interpreter, name: Value, value: Value) -> None:
    """Record ``os.environ[name] = value``."""
    match name:
        case Const(value=str() as text):
            run.facts.environment.setdefault(text, []).append(value)


def note_call(run: Interpreter, function: Value, arguments: Arguments) -> None:
    """Record the calls that set variables."""
    match function:
        case Symbol(path="os.environ.setdefault" | "os.putenv") if len(arguments.positional) > 1:
            note_set(run, *arguments.positional[:2])
        case Symbol(path="os.environ.update"):
            for given in arguments.positional:
                for key, value in run.items(given).items if isinstance(given, Dict) else ():
                    note_set(run, Const(key), value)
            for key, value in arguments.keywords:
                note_set(run, Const(key), value)
