"""Jupyter notebooks (nbformat 3 and 4): cells as snippets and prose, exact to the byte.

The file is never written anew: each character of a cell knows the place of its JSON escape, and an
edit changes these places alone.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from lintkeras.documents.magics import masked
from lintkeras.documents.markdown import parse
from lintkeras.documents.model import (
    Cell,
    Document,
    DocumentError,
    Mark,
    Piece,
    Prose,
    Snippet,
    through,
)
from lintkeras.documents.python import decode
from lintkeras.findings import Span

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
                     r"|\\u[0-9a-fA-F]{4}|\\.")  # fmt: skip
_PYTHON = ("python", "ipython")
_SOURCES = ("source", "input")  # nbformat 3 has the code of a cell under "input"

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that the file holds as one JSON string or a list of them."""

    text: str
    pieces: tuple[Piece, ...]
    newline: str
    """How the file spells a line's end and the beginning of the next one."""


def read(path: str, data: bytes, languages: Collection[str] = ()) -> Document:
    """Read a notebook. Raises DocumentError where it is not UTF-8, no JSON or no notebook."""
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    text = decode(data[len(bom) :], "utf-8", len(bom))
    try:
        content = json.loads(text)
    except ValueError as error:
        at = len(text[: getattr(error, "pos", 0)].encode()) + len(bom)
        raise DocumentError(f"is no notebook: {error}", at) from error
    except RecursionError as error:
        raise DocumentError("is no notebook: nested too deeply") from error
    cells = dict(_cells(content))
    if not cells and not isinstance(_get(content, "cells"), list):
        raise DocumentError("is no notebook: it has no cells")
    places = _places(text)
    snippets: list[Snippet] = []
    prose: list[Prose] = []
    marks: list[Mark] = []
    found: list[Cell] = []
    for number, (where, cell) in enumerate(cells.items(), start=1):
        source = _source(text, where, cell, places)
        if source is None:
            continue
        found.append(Cell(number, source.text, source.pieces))
        kind = cell.get("cell_type")
        if kind == "code" and _is_python(content, cell):
            snippets += _code(source)
        elif kind in ("markdown", "heading"):
            page = parse(source.text, languages)
            snippets += [_outside(one, source) for one in page.snippets]
            prose += [
                replace(
                    one, span=_span(one.span, source), pieces=through(one.pieces, source.pieces)
                )
                for one in page.prose
            ]
            marks += [Mark(_span(one.span, source), one.text) for one in page.marks]
    return Document(
        path, "notebook", text, "utf-8", bom, tuple(snippets), tuple(prose), tuple(found),
        tuple(marks),
    )  # fmt: skip


def _get(value: object, *keys: str | int) -> Any:
    """What is reached through keys and indices; None where that is not there."""
    for key in keys:
        if isinstance(value, dict) and isinstance(key, str):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def _cells(content: object) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The cells of nbformat 4, or those of the worksheets of nbformat 3."""
    holders: list[Path] = [("cells",)]
    for number in range(len(_get(content, "worksheets") or ())):
        holders.append(("worksheets", number, "cells"))
    for holder in holders:
        cells = _get(content, *holder)
        for number, cell in enumerate(cells if isinstance(cells, list) else ()):
            if isinstance(cell, dict):
                yield (*holder, number), cell


def _is_python(content: object, cell: dict[str, Any]) -> bool:
    """Whether a cell's code is Python: as it says itself, else as the notebook says."""
    said = (
        _get(cell, "metadata", "vscode", "languageId")
        or cell.get("language")
        or _get(content, "metadata", "language_info", "name")
        or _get(content, "metadata", "kernelspec", "language")
    )
    return not isinstance(said, str) or said.lower().startswith(_PYTHON)


def _places(text: str) -> dict[Path, tuple[int, int]]:
    """Where each string of a cell's source stands in the file, its quote marks included."""
    found: dict[Path, tuple[int, int]] = {}
    path: list[str | int] = []
    is_list: list[bool] = []
    awaits_key = False
    for token in _TOKEN.finditer(text):
        match token.group():
            case "{":
                path.append("")
                is_list.append(False)
                awaits_key = True
            case "[":
                path.append(0)
                is_list.append(True)
                awaits_key = False
            case "}" | "]":
                path.pop()
                is_list.pop()
                awaits_key = False
            case ",":
                if is_list and is_list[-1]:
                    path[-1] = int(path[-1]) + 1
                awaits_key = bool(is_list) and not is_list[-1]
            case ":":
                awaits_key = False
            case string if awaits_key:
                path[-1] = json.loads(string)
            case _ if path and (path[-1] in _SOURCES or (path[-2:-1] and path[-2] in _SOURCES)):
                found[tuple(path)] = token.span()
    return found


def _source(
    text: str, where: Path, cell: dict[str, Any], places: dict[Path, tuple[int, int]]
) -> _Text | None:
    """The source of a cell; None where it has none."""
    for key in _SOURCES:
        source = cell.get(key)
        if isinstance(source, str) and (*where, key) in places:
            content, pieces = _decoded(text, *places[*where, key], 0)
            return _Text(content, tuple(pieces), "\\n")
        if isinstance(source, list) and source:
            strings = [places.get((*where, key, number)) for number in range(len(source))]
            known = [place for place in strings if place is not None]
            if len(known) == len(strings):
                return _lines(text, known)
    return None


def _lines(text: str, strings: list[tuple[int, int]]) -> _Text:
    content = ""
    pieces: list[Piece] = []
    for start, end in strings:
        line, more = _decoded(text, start, end, len(content))
        content += line
        pieces += more
    if len(strings) > 1:
        between = text[strings[0][1] : strings[1][0]]
    else:
        opening = text.rfind("[", 0, strings[0][0])
        between = "," + text[opening + 1 : strings[0][0]]
    return _Text(content, tuple(pieces), f'\\n"{between}"')


def _decoded(text: str, start: int, end: int, offset: int) -> tuple[str, list[Piece]]:
    """The content of a JSON string, ``offset`` being its place in the source of the cell."""
    parts: list[str] = []
    pieces: list[Piece] = []
    length, at, last = offset, start + 1, end - 1
    for escape in _ESCAPE.finditer(text, at, last):
        if escape.start() > at:
            parts.append(text[at : escape.start()])
            pieces.append(Piece(length, at, escape.start() - at))
            length += escape.start() - at
        parts.append(json.loads(f'"{escape.group()}"'))
        pieces.append(Piece(length, escape.start(), 1, len(escape.group())))
        length, at = length + 1, escape.end()
    if at < last or not pieces:
        parts.append(text[at:last])
        pieces.append(Piece(length, at, last - at))
    return "".join(parts), pieces


def _code(source: _Text) -> Iterator[Snippet]:
    """The Python of a code cell, without the indentation of its first line, as IPython reads it."""
    lines = source.text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    kept: list[str] = []
    pieces: list[Piece] = []
    length = at = 0
    for line in lines:
        cut = len(indent) if line.startswith(indent) else 0
        size = len(line) - cut + 1  # with its newline
        pieces.append(Piece(length, at + cut, size))
        kept.append(line[cut:])
        length, at = length + size, at + len(line) + 1
    code = masked("\n".join(kept))
    if code:
        pieces[-1] = Piece(pieces[-1].snippet, pieces[-1].document, len(kept[-1]))
        yield _outside(Snippet(code, tuple(pieces), indent, strict=True), source)


def _outside(snippet: Snippet, source: _Text) -> Snippet:
    """A snippet of a cell's text as a snippet of the file."""
    pieces = through(snippet.pieces, source.pieces)
    return replace(snippet, pieces=pieces, newline=source.newline, quoting=("json",))


def _span(span: Span, source: _Text) -> Span:
    """A range of a cell's text as a range of the file."""
    return Snippet(source.text, source.pieces).span(span.start, span.end)
