"""Names of Keras in running text, and examples of pages that are no Python (LK801, LK802)."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from lintkeras import keras_api
from lintkeras.checks import members
from lintkeras.checks.registry import Context, check
from lintkeras.documents.mentions import Mention, Passage, passages, paths_in
from lintkeras.documents.model import Snippet
from lintkeras.findings import Applicability, Edit, Finding, Fix, Note, Span
from lintkeras.keras_api import homes
from lintkeras.keras_api.releases import Place, Releases, place_of
from lintkeras.keras_api.replacements import by_name
from lintkeras.meaning.values import Symbol
from lintkeras.syntax.parse import NotAnalyzed, ParseFailure, parse_snippet, parses

_HISTORY = re.compile(
    r"\b(?:remov\w+|renam\w+|deprecat\w+|mov(?:ed?|ing)|replac\w+|instead|rather|former\w*"
    r"|previous\w*|used to|no longer|legacy|old(?:er)?|gone|drop(?:s|ped)?|obsolete|outdated"
    r"|discontinued|earlier|migrat\w+|port(?:s|ed|ing)|backwards?|compat\w*|before|was|were|had"
    r"|since|until|up to|unlike|versions?|releases?|change[ds]?|changelog|history|upgrad\w+"
    r"|equivalent\w*|tf_keras|(?:\w+Error)|errors?|bugs?|fails?|missing|wrong|typo|become\w*"
    r"|became|disappear\w*|delet\w+|supersed\w+|exists?|alias\w*|analog\w*|unavailable"
    r"|not (?:available|found|have|been)|propos\w+|future|planned|could be|would|doesn't|isn't)\b"
    r"|\b(?:keras|tf|tensorflow|tf\.keras)\s*v?[-=<>~]*\s?[12](?:\.|\b)|->|→|⇒|=>",
    re.IGNORECASE,
)
"""What is said where a name may stand for what once was, or for what is not."""
_VERSION = re.compile(r"\bv?\d+\.\d+(?:\.\d+)?\b")
_OLDER = re.compile(
    r"\b(?:keras(?:-gpu)?|tensorflow(?:[-_]gpu|-cpu)?|tf)\s*(?:==|<=?|~=)\s*"
    r"(?:[01]\.|2\.(?:\d|1[0-5])\b)|\b(?:tf|tensorflow)\.compat\.v1\b",
    re.IGNORECASE,
)
"""A page that pins a release with Keras 2, or is written for TensorFlow 1, speaks of that one."""
_FOREIGN = re.compile(r"[^\x00-\u02ff\u2000-\u2bff]")
"""Letters of another script: whether the text speaks of the past cannot be read."""
_OWN = ("keras", "tf_keras", "tensorflow")
"""Packages that know better what they have; a name that none ever had is wrong there as well."""
_FILLED_IN = re.compile(r"^(?:My|Your|Our|Custom|Some|Any|Foo|Bar)|(?:[NX]D|Nd|X+)$")
"""Names that stand for whatever the reader puts there."""
_TENSORFLOW = ("tf", "tensorflow")
_OUTSIDE = frozenset({"raw_ops", "contrib", "compat", "python", "core", "lite", "org", "js"})
"""What begins like a module of TensorFlow and is none of those that are known name by name."""
_NEAR = 0.88
_CALL = re.compile(r"(keras(?:\.\w+)+)\([^()]*\)")


@dataclass(frozen=True)
class _Said:
    """What is wrong with a name, and the name that has its place."""

    text: str
    new: str | None = None
    safe: bool = False
    """Whether the new name stands for the very same."""
    never: bool = False
    """Whether no release has had it."""
    notes: tuple[str, ...] = ()


@check("LK802")
def unknown_symbol_in_text(context: Context) -> Iterator[Finding]:
    """a page or a comment names something that Keras does not have."""
    if any(one.snippet.space for one in context.program.parsed):
        return  # the example of a docstring: its file is read as a whole
    document = context.program.document
    if _OLDER.search(document.text):
        return
    own = context.package in _OWN
    old = any(map(_is_of_version_1, paths_in(document.text)))
    snippets = [one.snippet for one in context.program.parsed]
    found = {
        mention.span: finding
        for passage in passages(document, snippets)
        if not _is_history(passage)
        for mention in passage.mentions
        if not (mention.root in _TENSORFLOW and (old or _is_of_version_1(mention.path)))
        if (finding := _finding(context.releases, passage, mention, own=own)) is not None
    }
    yield from (found[span] for span in sorted(found))


def _is_of_version_1(path: str) -> bool:
    """Whether TensorFlow 1 had a name that TensorFlow 2 has only below ``compat.v1``."""
    root, _, inside = path.partition(".")
    if root not in _TENSORFLOW or inside not in keras_api.tensorflow_1():
        return False
    place = place_of(f"tensorflow.{inside}")
    return place is None or keras_api.space(place.space).last_seen(place.path) is None


def _is_history(passage: Passage) -> bool:
    """Whether a block may speak of what once was, or will be, or is not."""
    block = passage.prose
    if block.kind in ("quote", "table"):
        return True
    texts = (block.text, passage.above)
    return any(_HISTORY.search(one) or _VERSION.search(one) for one in texts)


def _finding(
    releases: Releases, passage: Passage, mention: Mention, *, own: bool
) -> Finding | None:
    said = _judged(releases, mention)
    if said is None:
        return None
    text = passage.prose.text
    if not said.never and (own or _FOREIGN.search(text)):
        return None
    if said.new is not None and _names(text, said.new):
        return None  # both names side by side: the reader is told
    fixes: tuple[Fix, ...] = ()
    if said.new is not None and said.safe and not mention.called:
        edit = Edit(mention.span, said.new)
        fixes = (Fix("name", f"write `{said.new}`", Applicability.SAFE, (edit,)),)
    notes = tuple(Note("note", text) for text in said.notes)
    return Finding("LK802", mention.span, said.text, notes=notes, fixes=fixes)


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text) is not None


def _judged(releases: Releases, mention: Mention) -> _Said | None:
    """What a release says to a name; None where it has it, or where that is not certain."""
    path = re.sub(r"^tf\.", "tensorflow.", mention.path)
    place = place_of(path)
    if place is None or any(part.startswith("_") for part in place.inside.split(".")):
        return None
    part = releases.missing(place)
    if part is None:
        return _member(releases, mention, place)
    if part.space == "tf_keras" or not part.inside:
        return None
    if part.space == "tf":
        return _of_tensorflow(releases, mention, part)
    if not homes.is_known(part):
        return _never(releases, mention, place, part)
    found = homes.gone(releases, place, is_module=part != releases.settle(place))
    if found is None:
        return None
    new, safe = _home(releases, mention, place)
    shown = mention.path if new is not None else _written(mention, found.place)
    release = releases.shown(place)
    if found.last is None:  # it stood below another root: tf.keras never had CuDNNLSTM
        text = f"there is no `{shown}` in {release}"
    else:
        text = f"`{shown}` is gone in {release}, {_line(found.last)} was the last with it"
    if new is not None:
        text += f"; it is `{new}`" if safe else f"; `{new}` has its place"
    advice = homes.advice(place)
    return _Said(text, new, safe, notes=(advice,) if advice is not None and not safe else ())


def _of_tensorflow(releases: Releases, mention: Mention, part: Place) -> _Said | None:
    """A name that TensorFlow 2 once had, or one that no release has and that is spelt nearly so.

    Names of TensorFlow 1 are passed over: a page that has them mostly speaks of that.
    """
    if part.inside.partition(".")[0] in _OUTSIDE or part.inside in keras_api.tensorflow_1():
        return None  # what TensorFlow 2 still has below compat.v1 may be there by another way
    last = keras_api.space("tf").last_seen(part.path)
    release = releases.shown(part)
    if last is not None:
        return _Said(f"`{_written(mention, part)}` is gone in {release}")
    names = keras_api.space("tf").names_in(part.path.rpartition(".")[0], releases.newest("tf"))
    near = difflib.get_close_matches(part.last, names, 1, _NEAR)
    if not near or part.last.lower() == near[0].lower() or _is_a_word(part.last, names):
        return None
    if part.inside == part.last and part.last.islower():
        return None
    meant = _written(
        mention, part.beside(f"{part.inside.rpartition('.')[0]}.{near[0]}".lstrip("."))
    )
    text = f"there is no `{_written(mention, part)}` in {release}, nor in any other release"
    return _Said(text, never=True, notes=(f"is `{meant}` meant?",))


def _home(releases: Releases, mention: Mention, place: Place) -> tuple[str | None, bool]:
    """The name that has the place of one, as the text would write it, and whether it is the same."""
    entry = by_name("backend").get(place.inside, {})
    call = _CALL.fullmatch(str(entry.get("new", "")))
    if call is not None:
        now = place.beside(call[1].removeprefix("keras."))
        if releases.symbol(now) is not None:
            safe = not {"unsafe", "changes"} & {*entry} and releases.everywhere(now)
            return _written(mention, now), safe
    home = homes.home(releases, place)
    if home is None:
        return None, False
    if home.place.space != place.space:
        return home.place.path, False
    return _written(mention, home.place), home.safe


def _never(releases: Releases, mention: Mention, place: Place, part: Place) -> _Said | None:
    """A name that no known release has, in a module that is known, and near to one of its names."""
    settled = releases.settle(part)
    newest = releases.newest(settled.space)
    if settled.space == "keras" and tuple(map(int, newest.split(".")))[:2] < (2, 13):
        return None  # its modules held more than the public names
    names = keras_api.space(settled.space).names_in(settled.path.rpartition(".")[0], newest)
    is_alone = place.inside == part.last
    if _is_a_word(part.last, names) or (is_alone and part.last.islower()):
        return None
    meant = _meant(releases, settled, names)
    if meant is None:
        return None
    release = releases.shown(part)
    text = f"there is no `{_written(mention, part)}` in {release}, nor in any other release"
    return _Said(text, never=True, notes=(f"is `{_written(mention, meant)}` meant?",))


def _meant(releases: Releases, part: Place, names: list[str]) -> Place | None:
    """The name that the text has left a module out of, or that is spelt nearly so."""
    module = part.inside.rpartition(".")[0]
    near = difflib.get_close_matches(part.last, names, 1, 0.8)
    below = [] if module else [part.beside(f"{name}.{part.last}") for name in names]
    found = [one for one in below if releases.symbol(one) is not None]
    found += [part.beside(f"{module}.{name}".lstrip(".")) for name in near]
    return found[0] if found else None


def _is_a_word(text: str, names: list[str]) -> bool:
    """Whether a name stands for many, or for what the reader puts there.

    "A list of `keras.layers.Layers`", "each `keras.layers.Conv`", "your `keras.layers.MyLayer`".
    """
    return (
        (text.endswith("s") and text.removesuffix("s") in names)
        or _FILLED_IN.search(text) is not None
        or _is_family(text, names)
    )


def _is_family(word: str, names: list[str]) -> bool:
    """Whether several names begin or end with a word, as ``Conv1D`` and ``Conv2D`` do with ``Conv``."""
    starts = sum(re.match(rf"{word}[A-Z0-9]", name) is not None for name in names)
    return max(starts, sum(name.endswith(word) for name in names)) > 1


def _member(releases: Releases, mention: Mention, place: Place) -> _Said | None:
    """A member that a class had and has lost; what it never had may be set by an object."""
    owner = next((p for p in place.prefixes() if releases.class_members(p) is not None), None)
    if owner is None or owner.path == place.path:
        return None
    name = place.path[len(owner.path) + 1 :].partition(".")[0]
    root = "tensorflow.keras" if place.space == "tf.keras" else place.space
    found = members.gone(releases, Symbol(f"{root}.{owner.inside}"), name)
    if found is None or not found.last:
        return None
    shown = _written(mention, owner)
    text = (
        f"`{shown}` has no `{name}` in {releases.shown(place)}, "
        f"{_line(found.last)} was the last with it"
    )
    new = found.entry.get("new")
    wanted = f"{shown}.{new}" if isinstance(new, str) else None
    if wanted is not None:
        text += f"; `{wanted}` has its place"
    hint = found.entry.get("hint")
    return _Said(text, wanted, notes=(hint,) if isinstance(hint, str) else ())


def _written(mention: Mention, place: Place) -> str:
    """A place as the text spells it: ``tensorflow.keras`` where it begins so."""
    return f"{mention.root}.{place.inside}" if place.inside else mention.root


def _line(version: str) -> str:
    return ".".join(version.split(".")[:2])


# ------------------------------------------------------------------ LK801

_PARTIAL = re.compile(
    r"\.\.\.|…|\{\{|\{%|<[\w -]+>|<[A-Za-z][^<>\n]*>|^\s*[$%!?]|\?\s*$|^(?:\+|-)\s"
    r"|=>|-->|<--|\w\s*=\s*#|^\s*[\w.]+\((?:self\b|\w+: ).*\)\s*$|\)\s*->[^:\n]*$|^\s*\w+\([\w, *]*\)\s*=(?!=)",
    re.MULTILINE,
)
"""What stands for what the reader has to fill in, lines for a shell or a template, arrows to results,
signatures, and definitions as mathematics writes them: ``f(x) = ...``."""
_COMMENT_LINE = re.compile(r"^([ \t]*)#.*$", re.MULTILINE)


@check("LK801")
def unparsable_example(context: Context) -> Iterator[Finding]:
    """an example that is marked as Python is none."""
    if any(one.snippet.space for one in context.program.parsed):
        return
    read = {id(one.snippet) for one in context.program.parsed}
    for snippet in context.program.document.snippets:
        if id(snippet) in read or snippet.strict or _is_partial(snippet):
            continue
        failure = _failure(snippet)
        if failure is not None:
            at = snippet.offset(failure.offset)
            yield Finding("LK801", Span(at, at), f"this example is no Python: {failure}")


def _is_partial(snippet: Snippet) -> bool:
    """Whether code is a part of something: with holes, cut out of a block, or with a comment as a body."""
    if _PARTIAL.search(snippet.source):
        return True
    cut = textwrap.dedent(snippet.source)
    return parses(Snippet(_COMMENT_LINE.sub(r"\1pass", cut), ())) or (
        cut != snippet.source and parses(Snippet(cut, ()))
    )


def _failure(snippet: Snippet) -> ParseFailure | None:
    try:
        parse_snippet(snippet)
    except NotAnalyzed:
        return None
    except ParseFailure as failure:
        return failure
    return None
