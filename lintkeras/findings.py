"""The shape of a finding: what every check produces and every report prints.

All positions are half-open ranges of code points in the decoded text of the document
(after the byte-order mark), so an edit can be spliced into the original text without
re-rendering anything around it. Lines and columns are computed when a report needs them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal


class Severity(enum.IntEnum):
    """How bad it is; ordered, so that ``--fail-on`` is a comparison."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The word that reports print: ``error``, ``warning`` or ``info``."""
        return self.name.lower()


class Applicability(enum.StrEnum):
    """Whether a fix may be applied unasked.

    ``SAFE`` keeps run-time behaviour, or turns code that must raise into code that runs.
    ``UNSAFE`` changes training, predictions, a saved file or a public name.
    ``DISPLAY`` is a sketch: shown, and applied only when the user chooses it.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points in a document's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the text of ``span`` by ``text`` (an empty span inserts)."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to repair a finding.

    ``id`` names the alternative (``custom-gradient``, ``stop-gradient``); ``target`` says on what
    (``dense_2``), so that ``--choose LK101=custom-gradient@dense_2`` can pick one. Fixes of one
    ``group`` are made one at a time, because each must see what the one before has left.
    """

    id: str
    title: str
    applicability: Applicability
    edits: tuple[Edit, ...]
    target: str | None = None
    group: str | None = None


NoteKind = Literal["math", "effect", "backend", "note"]


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph below the frame: the mathematics, the effect, a remark."""

    kind: NoteKind
    text: str


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains the first (``back-propagation ends here``)."""

    span: Span
    label: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at one place of one document.

    ``message`` stands alone: lower case, no full stop, in the user's own names. ``severity`` is
    set only where a check lowers what the rule's page says. ``label`` is the short text under the
    primary range. The first fix is the default; the others are named alternatives.
    """

    rule: str
    span: Span
    message: str
    severity: Severity | None = None
    label: str = ""
    notes: tuple[Note, ...] = ()
    related: tuple[Related, ...] = ()
    fixes: tuple[Fix, ...] = field(default=())
