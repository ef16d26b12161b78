"""Files of models: how their paths must end, and the arguments that wrote Keras 2's formats.

What each release takes stands in the tables ``paths`` and ``saving`` of ``keras_api/replacements``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from lintkeras.checks.fallbacks import is_guarded
from lintkeras.checks.registry import Context, check
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note, Severity
from lintkeras.keras_api.releases import Place, place_of
from lintkeras.keras_api.replacements import table
from lintkeras.meaning.calling import argument_node
from lintkeras.meaning.facts import CallMade
from lintkeras.meaning.kinds import class_of, is_model
from lintkeras.meaning.texts import Tail, tail_of
from lintkeras.meaning.values import (
    Arguments,
    Computed,
    Const,
    Member,
    Symbol,
    Test,
    Value,
    alternatives,
    walk,
)
from lintkeras.rewrites.arguments import leave_out_all
from lintkeras.rewrites.paths import FileUse, Renaming, renamed
from lintkeras.syntax.program import ForeignNode

_METHODS = frozenset({"save", "save_weights", "load_weights"})
_FUNCTIONS = frozenset({
    "models.save_model", "saving.save_model", "saving.save_weights", "models.load_model",
    "saving.load_model", "callbacks.ModelCheckpoint",
})  # fmt: skip
_SECOND = frozenset({"models.save_model", "saving.save_model", "saving.save_weights"})
"""Functions that are given the model before the path."""
_READS = {"load_model": "model", "load_weights": "weights"}
_OTHER_FORMATS = {"save": ("zipped", 2), "save_model": ("zipped", 3),
                  "save_weights": ("max_shard_size", 2)}  # fmt: skip
"""Arguments that ask for another kind of file: then the path may end as it likes."""
_WEIGHTS_ONLY = ("save_weights_only", 4)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that writes or reads a file of a model, in a project that allows Keras 3."""

    context: Context
    node: cst.Call
    name: str
    """Inside Keras: ``models.Model.save``."""
    place: Place
    """What it belongs to, by the path that the program reached it by."""
    arguments: tuple[Arguments, ...]
    """Its arguments, each time that it was reached."""
    tests: tuple[Test, ...]
    """The conditions under which it is reached."""

    @property
    def last(self) -> str:
        """Its own name: ``save``."""
        return self.name.rpartition(".")[2]

    @property
    def shown(self) -> str:
        """How a message quotes it."""
        return self.context.code.shown(self.node)

    @property
    def release(self) -> str:
        """The release that a message speaks of."""
        return self.context.releases.shown(self.place)

    def get(self, name: str, position: int | None = None) -> list[Value | None]:
        """What an argument is, each time."""
        return [one.get(name, position) for one in self.arguments]

    @property
    def path(self) -> tuple[cst.BaseExpression, list[Value]] | None:
        """The expression of the path and what it is; None where it is not given as one argument."""
        position = 1 if self.name in _SECOND else 0
        found = argument_node(self.node, "filepath", position)
        values = [one for one in self.get("filepath", position) if one is not None]
        return None if found is None or not values else (found.value, values)

    @property
    def tails(self) -> list[Tail]:
        """The ends of all that the path may be."""
        values = self.path[1] if self.path is not None else []
        return [tail_of(one) for value in values for one in alternatives(value)]

    @property
    def what(self) -> str | None:
        """``model`` or ``weights``: what the file holds; None where that is not known."""
        if self.last != "ModelCheckpoint":
            return _READS.get(self.last, "weights" if "weights" in self.last else "model")
        found = {
            "model"
            if value in (None, Const(False))
            else "weights"
            if value == Const(True)
            else None
            for value in self.get(*_WEIGHTS_ONLY)
        }
        return found.pop() if len(found) == 1 else None

    def ends(self, version: str) -> dict[str, Any] | None:
        """The entry of the table ``paths`` for a release; None where nothing is known of it."""
        rows = [row for row in table("paths") if self.name in row["old"]]
        known = [
            row for row in rows
            if row["writes"] == self.what and _line(row["since"]) <= _line(version)
        ]  # fmt: skip
        return known[-1] if known else None

    def is_refused(self, version: str) -> bool:
        """Whether a release certainly refuses the path."""
        row = self.ends(version)
        tails = self.tails
        return bool(
            row is not None and tails and all(t.ends_with(*row["ends"]) is False for t in tails)
        )

    @property
    def newest(self) -> str:
        """The newest release that the project allows."""
        return self.context.releases.newest(self.place.space)

    @property
    def always(self) -> bool:
        """Whether every allowed release is Keras 3."""
        allowed = self.context.releases.allowed(self.place.space)
        return self.place.space != "tf_keras" and all(_line(v) >= (3,) for v in allowed)

    @property
    def is_other_format(self) -> bool:
        """Whether an argument asks for a folder, shards, or a place on a hub."""
        name = _OTHER_FORMATS.get(self.last)
        if name is not None and any(value is not None for value in self.get(*name)):
            return True
        values = self.path[1] if self.path is not None else []
        return any(
            isinstance(part, Const) and isinstance(part.value, str) and "://" in part.value
            for value in values
            for part in walk(value)
        )

    def file_use(self) -> FileUse | None:
        """What fixes need to know of it."""
        what = self.what
        if self.path is None or what is None or self.is_other_format:
            return None
        node, values = self.path
        return FileUse(self.node, self.last not in _READS, what, node, values[0])


def _line(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _calls(context: Context) -> Iterator[Call]:
    for group in context.facts.groups(CallMade):
        named = [_named(one.function) for one in group]
        first = named[0]
        if first is None or any(one is None or one[0] != first[0] for one in named):
            continue
        name, path = first
        place = place_of(path)
        if place is not None and context.releases.is_keras_3(place):
            arguments = tuple(one.arguments for one in group)
            tests = tuple(test for one in group for test in one.tests)
            yield Call(context, group[0].node, name, place, arguments, tests)


def _named(function: object) -> tuple[str, str] | None:
    """The name in the tables and the path of what is called."""
    match function:
        case Symbol():
            inside = function.name.removeprefix("keras.")
            return (inside, function.path) if inside in _FUNCTIONS else None
        case Member(of=owner, name=name) if name in _METHODS and is_model(owner):
            symbol = class_of(owner)
            return None if symbol is None else (f"models.Model.{name}", symbol.path)
    return None


def _reported(context: Context, *lasts: str) -> Iterator[Call]:
    """The calls of these names that are not written for several releases."""
    for call in _calls(context):
        if call.last in lasts and not is_guarded(context, call.node, call.tests):
            yield call


# ---------------------------------------------------------------------- paths


@check("LK705")
def weights_suffix(context: Context) -> Iterator[Finding]:
    """``save_weights`` to a path that does not end in ``.weights.h5``."""
    yield from _wrong_paths(context, "LK705", "save_weights")


@check("LK405")
def checkpoint_suffix(context: Context) -> Iterator[Finding]:
    """``ModelCheckpoint`` with a path that it refuses."""
    yield from _wrong_paths(context, "LK405", "ModelCheckpoint")


def _wrong_paths(context: Context, code: str, name: str) -> Iterator[Finding]:
    for call in _reported(context, name):
        if call.is_other_format or not call.is_refused(call.newest):
            continue
        row = call.ends(call.newest)
        assert row is not None and call.path is not None
        renaming = _renaming(call, row)
        fixes = () if renaming is None else (_rename_fix(call, renaming, ()),)
        yield Finding(
            code,
            context.program.span(call.path[0]),
            _refusal(call, row),
            notes=_notes(context, renaming),
            fixes=fixes,
        )


def _refusal(call: Call, row: dict[str, Any]) -> str:
    """What happens to a path, and how it must end."""
    ends = _listed(row["ends"], "or")
    weights = " with `save_weights_only=True`" if call.last == "ModelCheckpoint" else ""
    weights = weights if row["writes"] == "weights" else ""
    what = f"`{call.last}`{weights} takes paths that end in {ends} alone"
    shown = call.context.code.shown(call.path[0]) if call.path is not None else ""
    return f"{what}: {call.release} raises ValueError for `{shown}` ({row['raises']})"


def _listed(words: Sequence[str], last: str) -> str:
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final


def _renaming(call: Call, row: dict[str, Any]) -> Renaming | None:
    use = call.file_use()
    tails = set(call.tails)
    if use is None or len(tails) != 1:
        return None
    others = {
        found.call: found for one in _calls(call.context) if (found := one.file_use()) is not None
    }
    try:
        return renamed(call.context.code, use, tails.pop(), row["new"], others)
    except ForeignNode:
        return None  # the path is written in another file


def _rename_fix(call: Call, renaming: Renaming, more: Sequence[Edit], unsafe: bool = False) -> Fix:
    refused = all(
        call.is_refused(version) for version in call.context.releases.allowed(call.place.space)
    )
    safe = call.always and refused and renaming.certain and not unsafe
    return Fix(
        "rename",
        f"write `{renaming.new}` for `{renaming.old}`",
        Applicability.SAFE if safe else Applicability.UNSAFE,
        (*renaming.edits, *more),
    )


def _notes(context: Context, renaming: Renaming | None) -> tuple[Note, ...]:
    if renaming is None:
        return ()
    if renaming.elsewhere:
        lines = sorted({
            context.program.document.position(context.program.span(node).start)[0]
            for node in renaming.elsewhere
        })  # fmt: skip
        where = ", ".join(map(str, lines))
        text = f"the path may also be used in line {where}, which the fix leaves as it is"
        return (Note("note", text),)
    if not renaming.certain:
        text = "what reads the path may find a file of that name that Keras 2 has written"
        return (Note("note", text),)
    return ()


# ---------------------------------------------------------------------- formats


@check("LK613")
def save_format(context: Context) -> Iterator[Finding]:
    """Arguments and paths of formats that Keras 3 does not write or read."""
    for call in _reported(context, "save", "save_model"):
        yield from _saved(call)
    for call in _reported(context, "save_weights", "load_weights", "ModelCheckpoint", "load_model"):
        refused = list(_refused_arguments(call))
        if refused:
            yield _about_arguments(call, refused)
        elif call.last in _READS:
            yield from _loaded(call)


@dataclass(frozen=True, slots=True)
class _Given:
    """An argument of the table ``saving`` that a call is given."""

    row: dict[str, Any]
    node: cst.Arg
    values: tuple[Value, ...]
    fails: bool | None
    """Whether the call raises for it; None where that hangs on a path that is not known."""

    @property
    def says_nothing(self) -> bool:
        """Whether its value is the one that it has when it is not given."""
        default = self.row.get("default", "None")
        return all(repr(v.value) == default for v in self.values if isinstance(v, Const)) and all(
            isinstance(v, Const) for v in self.values
        )


def _refused_arguments(call: Call) -> Iterator[_Given]:
    for row in table("saving"):
        if call.name not in row["of"]:
            continue
        node = argument_node(call.node, row["old"], None)
        values = tuple(value for value in call.get(row["old"]) if value is not None)
        if node is None or not values:
            continue
        known = call.tails
        fails: bool | None = True
        if "takes" in row or "refuses" in row:
            found = {tail.ends_with(*row.get("takes", row.get("refuses", ()))) for tail in known}
            fails = found.pop() if len(found) == 1 else None
            if "takes" in row:
                fails = None if fails is None else not fails
        if "refuses" in row and not fails:
            continue  # another format takes it
        if not row["raises"] and (
            fails is not False or _Given(row, node, values, fails).says_nothing
        ):
            continue  # only another format reads it
        yield _Given(row, node, values, fails)


def _saved(call: Call) -> Iterator[Finding]:
    given = list(_refused_arguments(call))
    wrong = call.path is not None and not call.is_other_format and call.is_refused(call.newest)
    if not wrong:
        if given:
            yield _about_arguments(call, given)
        return
    row = call.ends(call.newest)
    assert row is not None and call.path is not None
    context = call.context
    dropped = [one for one in given if one.row["raises"]]
    edits = _without(call, dropped)
    renaming = _renaming(call, row)
    unsafe = not all(one.says_nothing or _is_format(one, "h5", "keras") for one in dropped)
    fixes: list[Fix] = []
    if renaming is not None and edits is not None:
        fixes.append(_rename_fix(call, renaming, edits, unsafe))
    if not _is_loaded(call):
        exported = context.fixes(_export_fix, call, dropped)
        wanted = any(_is_format(one, "tf") for one in dropped)
        fixes = [*exported, *fixes] if wanted else [*fixes, *exported]
    message = _refusal(call, row)
    if dropped:
        message = f"`{dropped[0].row['old']}=` is no argument of Keras 3, and {message}"
    notes = (
        *_notes(context, renaming),
        Note("note", "a SavedModel, for serving or for TFLite, is written by `model.export(path)`"),
    )
    yield Finding(
        "LK613", context.program.span(call.path[0]), message, notes=notes, fixes=tuple(fixes)
    )


def _about_arguments(call: Call, given: list[_Given]) -> Finding:
    """A finding about arguments alone: the path is right, or not known."""
    context, first = call.context, given[0]
    name, raises = first.row["old"], first.row["raises"]
    if first.fails:
        kind, _, text = raises.partition(": ")
        message = f"`{call.last}` takes no `{name}=`: {call.release} raises {kind} ({text})"
        if "refuses" in first.row:
            ends = _listed(first.row["refuses"], "and")
            message = f"`{name}=` is not taken for {ends}: {call.release} raises {kind} ({text})"
    elif first.fails is None:
        ends = _listed(first.row["takes"], "or")
        kind, _, text = raises.partition(": ")
        message = (
            f"`{name}=` chooses no format: {call.release} ignores it for paths that end in {ends} "
            f"and raises {kind} for others ({text})"
        )
    else:
        message = f"`{name}=` is ignored by {call.release} for this path"
    fixes: list[Fix] = []
    edits = _without(call, given)
    if edits:
        titles = " and ".join(f"`{one.row['old']}=`" for one in given)
        fixes.append(Fix("drop", f"drop {titles}", _dropping(call, given), edits))
    return Finding(
        "LK613",
        context.program.span(first.node),
        message,
        severity=None if first.fails or _is_format(first, "tf") else Severity.WARNING,
        fixes=tuple(fixes),
    )


def _dropping(call: Call, given: list[_Given]) -> Applicability:
    """Whether the arguments can go without another thought."""
    safe = call.always and all(
        one.says_nothing or one.fails is False or _is_format(one, "h5", "keras")
        or one.values == (Const(False),)
        or (one.row["old"] == "save_format" and call.last == "save_weights")
        for one in given
    )  # fmt: skip
    return Applicability.SAFE if safe else Applicability.UNSAFE


def _is_format(one: _Given, *formats: str) -> bool:
    return one.row["old"] == "save_format" and all(
        isinstance(v, Const) and v.value in formats for v in one.values
    )


def _without(call: Call, given: Sequence[_Given]) -> tuple[Edit, ...] | None:
    """The edits that remove arguments; None where a comment would go with one."""
    code, gone = call.context.code, [one.node for one in given]
    if any(any(code.comments(argument.value)) for argument in gone):
        return None
    return tuple(leave_out_all(code, call.node, gone))


def _export_fix(call: Call, dropped: list[_Given]) -> Iterator[Fix]:
    """``model.export(path)`` for ``model.save(path)``, where nothing else is asked."""
    func, edits = call.node.func, _without(call, dropped)
    left = len(call.node.args) - len(dropped)
    if isinstance(func, cst.Attribute) and edits is not None and left == 1:
        renamed = call.context.code.program.replace(func.attr, "export")
        title = "export a SavedModel, which `load_model` cannot read"
        yield Fix("export", title, Applicability.UNSAFE, (renamed, *edits))


def _is_loaded(call: Call) -> bool:
    """Whether the program loads what it saves there."""
    values = call.path[1] if call.path is not None else []
    return any(
        one.last == "load_model" and one.path is not None and one.path[1] == values
        for one in _calls(call.context)
    )


def _loaded(call: Call) -> Iterator[Finding]:
    """``load_model`` of a SavedModel, ``load_weights`` of a TensorFlow checkpoint."""
    context = call.context
    if call.path is None or call.is_other_format or not call.tails:
        return
    node, values = call.path
    weights = call.last == "load_weights"
    ends = (".keras", ".h5", ".hdf5", ".zip", *((".weights.json",) if weights else ()))
    checkpoint = weights and all(_is_latest_checkpoint(value) for value in values)
    unread = all(tail.ends_with(*ends) is False and tail.last for tail in call.tails)
    if not checkpoint and (not unread or _may_be_a_folder(context)):
        return
    if any(
        other.last not in _READS and other.path is not None and other.path[1] == values
        and other.is_refused(other.newest)
        for other in _calls(context)
    ):  # fmt: skip
        return  # what writes there is found, and its fix is about both
    written = checkpoint or _is_saved_model(context, values)
    what = "TensorFlow checkpoints" if weights else "SavedModels"
    unless = "" if written else " unless it is a folder that Keras 3 has written"
    shown = context.code.shown(node)
    advice = (
        "load it once with tf_keras and save it as .weights.h5"
        if weights
        else f"`keras.layers.TFSMLayer({shown}, call_endpoint=...)` calls a SavedModel; "
        "to train on, save the model as .keras"
    )
    yield Finding(
        "LK613",
        context.program.span(node),
        f"`{call.last}` reads no {what}: {call.release} raises ValueError for `{shown}`{unless}",
        severity=None if written else Severity.WARNING,
        notes=(Note("note", advice),),
    )


def _is_latest_checkpoint(value: Value) -> bool:
    return isinstance(value, Computed) and value.function == Symbol(
        "tensorflow.train.latest_checkpoint"
    )


def _may_be_a_folder(context: Context) -> bool:
    """Whether the program knows folders that Keras 3 has written (``zipped=False``, Orbax)."""
    return any(
        isinstance(node, cst.Name) and (node.value == "zipped" or "rbax" in node.value)
        for node in context.program.nodes
    )


def _is_saved_model(context: Context, values: list[Value]) -> bool:
    """Whether the program itself writes a SavedModel there."""
    for group in context.facts.groups(CallMade):
        for one in group:
            match one.function:
                case Symbol(path="tensorflow.saved_model.save"):
                    if one.arguments.get("export_dir", 1) in values:
                        return True
                case Member(name="export") as member if is_model(member.of):
                    if one.arguments.get("filepath", 0) in values:
                        return True
    return False
