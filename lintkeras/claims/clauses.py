"""A sentence as clauses, by the closed classes of words and marks that begin and end them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lintkeras.claims.sentences import Word

_BREAKS = frozenset({";", ":", "-", "but", "because", "although", "though", "whereas", "while",
                     "since", "yet", "otherwise", "therefore", "however", "thus", "hence"})  # fmt: skip
_CONDITIONS = frozenset({"if", "when", "whenever", "unless", "once", "until"})
_CONCESSIONS = frozenset({"although", "though", "while", "because", "since"})
_EVENTS = frozenset({"when", "whenever", "once", "as"})
_MODALS = frozenset({"will", "would", "must", "should"})
NEW_SUBJECTS = frozenset({"it", "you", "we", "they", "there", "this", "keras", "tensorflow", "i"})
"""Words that begin a clause with a subject of its own."""


@dataclass(frozen=True)
class Clause:
    """A run of words with one predicate, as it is searched."""

    words: tuple[Word, ...]
    conditional: bool
    before: int = 0
    """How many of its words stand in the sentence before, which it points back at."""

    def behind(self, earlier: tuple[Word, ...]) -> Clause:
        """The clause with words of the sentence before in front of its own."""
        return Clause((*earlier, *self.words), self.conditional, len(earlier))

    @property
    def text(self) -> str:
        """The lemmas, each with a blank in front and one at the end."""
        return "".join(f" {word.lemma}" for word in self.words) + " "

    def index(self, position: int) -> int:
        """The number of the word that stands at a position of ``text``."""
        return self.text.count(" ", 0, position + 1) - 1


def clauses(words: Sequence[Word]) -> Iterator[Clause]:
    """The clauses of a sentence; a condition is a clause, and so is an aside."""
    main, asides = _asides(words)
    for part in (main, *asides):
        for piece in _pieces(part):
            yield from _conditions(piece)


def _asides(words: Sequence[Word]) -> tuple[list[Word], list[list[Word]]]:
    main: list[Word] = []
    asides: list[list[Word]] = []
    depth = 0
    calls: list[bool] = []
    before: Word | None = None
    for word in words:
        if word.lemma == "[":
            # The arguments of a call belong to the clause: Adam(weight_decay=0.1)
            calls.append(before is not None and before.end == word.start)
            if not calls[-1]:
                depth += 1
                asides.append([])
        elif word.lemma == "]":
            depth -= not (calls.pop() if calls else True)
        else:
            (asides[-1] if depth else main).append(word)
        before = word
    return main, asides


def _pieces(words: Sequence[Word]) -> Iterator[list[Word]]:
    piece: list[Word] = []
    conceding = False  # a concession ends with a comma
    for number, word in enumerate(words):
        follows = words[number + 1].lemma if number + 1 < len(words) else ""
        before = words[number - 1].lemma if number else ""
        joins = word.lemma in ("and", "so", "or") and before == ","
        breaks = word.lemma in _BREAKS and (
            word.lemma != "but" or before == "," or follows in NEW_SUBJECTS
        )
        if breaks or (joins and (word.lemma == "so" or follows in NEW_SUBJECTS)):
            yield piece
            piece = []
            conceding = word.lemma in _CONCESSIONS
        elif conceding and word.lemma == ",":
            yield piece
            piece, conceding = [], False
        elif not (word.lemma == "not" and not piece and follows == ","):  # "No, Keras ..."
            piece.append(word)
    yield piece


def _conditions(piece: list[Word]) -> Iterator[Clause]:
    """The main clause of a piece, its conditions cut out."""
    while piece and piece[0].lemma in (",", "and", "or", "so"):
        piece = piece[1:]
    if piece and piece[0].lemma in _EVENTS and "," not in [word.lemma for word in piece]:
        yield Clause(tuple(piece), True)
        yield Clause(tuple(piece[1:]), False)  # where the condition ends cannot be seen
        return
    if piece and piece[0].lemma == "if" and "," not in [word.lemma for word in piece]:
        # the main clause begins with the last subject: "if you freeze it the layer will ..."
        begins = [
            number - (word.lemma in _MODALS)
            for number, word in enumerate(piece)
            if number > 3 and word.lemma in _MODALS | NEW_SUBJECTS
        ]
        if begins:
            yield Clause(tuple(piece[1 : begins[-1]]), True)
            yield Clause(tuple(piece[begins[-1] :]), False)
            return
    main: list[Word] = []
    condition: list[Word] | None = None
    for number, word in enumerate(piece):
        if condition is not None and word.lemma == ",":
            yield Clause(tuple(condition), True)
            condition = None
        elif condition is not None:
            condition.append(word)
        elif word.lemma in _CONDITIONS or _as_soon_as(piece, number):
            condition = []
        else:
            main.append(word)
    if condition is not None:
        yield Clause(tuple(condition), True)
    if main:
        yield Clause(tuple(main), False)


def _as_soon_as(piece: list[Word], number: int) -> bool:
    return [word.lemma for word in piece[number : number + 2]] == ["as", "soon"]
