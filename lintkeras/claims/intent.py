"""Stated intent: do the words next to an edit of gradients say that it changes a derivative?

The caller has already established by data flow that weight gradients are changed after the tape.
Here only prose is read, sentence by sentence, with a small grammar instead of loose keywords: the
*object* is a noun phrase that ties an activation (or a layer) to its derivative, gradient or
backward pass; a sentence counts where the object is what is changed (``double the derivative of
the activation``, ``the slope of the relu is halved``), where another function is used backward, or
where the gradient is said to reach layers differently. Just naming both (``the gradient flows
through the relu``) says nothing about the edit.

Each sentence is a *claim* (it says that the edit does it), a *wish* (it wants to, or is a title)
or a *correction* (it says that the edit does not). A claim counts always, also one that regrets; a
wish counts unless somebody corrects it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lintkeras.claims.sentences import PLAIN

PassageKind = Literal["comment", "docstring", "name", "heading", "sentence", "following"]
"""What a passage is to the edit: a comment on or right above it, the docstring or name of the
function around it, the title of its section, a sentence in front of its fence, or behind it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that stands next to the edit."""

    kind: PassageKind
    text: str


@dataclass(frozen=True, slots=True)
class Intent:
    """The sentence that states the intent, and the words that say what it wants to change."""

    passage: Passage
    sentence: str
    subject: str


Reading = Literal["claim", "wish", "correction"]


def stated_intent(passages: Sequence[Passage]) -> Intent | None:
    """The statement that the edit is about a derivative; None where there is none.

    A sentence that says correctly that the edit does not change the derivative outweighs wishes
    and titles, but no claim.
    """
    wish: Intent | None = None
    corrected = False
    for passage in passages:
        for sentence in sentences(passage):
            reading, words = read(sentence, passage.kind)
            if reading == "claim":
                return Intent(passage, sentence, words)
            if reading == "wish" and wish is None:
                wish = Intent(passage, sentence, words)
            corrected = corrected or reading == "correction"
    return None if corrected else wish


# ---------------------------------------------------------------------------- sentences

_BREAK = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\s*;\s+|\s+-+\s+|(?<!todo)(?<!fixme):\s+", re.I)
_WORDS_OF_A_NAME = re.compile(r"[_\W]+|(?<=[a-z])(?=[A-Z])")
_QUOTED = re.compile(r"\"([^\"]{1,400})\"")
_LONGEST = 10_000
_PARENTHESES = re.compile(r"\(([^()]*)\)")
_PRIME = re.compile(r"\bf\s?'(?:\s?\([^()]*\))?")
_UNIT_PRIME = re.compile(r"\b(relu|tanh|sigmoid|softplus|elu|gelu)'(?!s\b)(?:\s?\([^()]*\))?", re.I)


def sentences(passage: Passage) -> Iterator[str]:
    """The sentences of a passage: whitespace folded, quotes left out, questions dropped."""
    text = passage.text[:_LONGEST].translate(PLAIN)
    if passage.kind == "name":
        text = " ".join(_WORDS_OF_A_NAME.split(text))
    text = _PRIME.sub("fprime", _UNIT_PRIME.sub(r"\1 derivative", text.replace("`", "")))
    text = _QUOTED.sub(_without_quotation, text.replace("*", ""))
    asides = [match.group(1) for match in _PARENTHESES.finditer(text)]
    for part in (_PARENTHESES.sub(" ", text), *asides):
        for sentence in _BREAK.split(part):
            folded = " ".join(sentence.split())
            if folded and not folded.endswith("?"):
                yield folded


def _without_quotation(quoted: re.Match[str]) -> str:
    """What others say is no statement; one or two words in quotes are a name."""
    return " " if len(quoted.group(1).split()) > 2 else quoted.group(1)


# ---------------------------------------------------------------------------- the grammar

_UNIT = (
    r"(?:activations?(?:\s+functions?)?|(?:leaky[ -])?re-?lu6?s?|sigmoids?|tanh|softplus|s?elu"
    r"|gelu|swish|silu|mish|softsign|non-?linearit(?:y|ies)|hyperbolic\s+tangent)"
)
# A layer's own derivative or backward pass; its gradient is only that of its weights.
_LAYER = r"(?:(?:dense|hidden|conv\w*|custom|activation)\s+)?layers?"
_STOP = (
    r"(?:and|or|but|because|since|so|that|which|who|to|when|if|while|where|until|as|for|of|in|on"
    r"|by|with|from|than|is|are|was|were|be|has|have|needs?|not|only)"
)
# "the relu layers", "the relu policy network": a part of the network, and so weights.
_PART = (
    r"(?:layers?|networks?|nets?|models?|blocks?|units|weights?|kernels?|parameters?|mlps?|bias\w*"
    r"|branch(?:es)?|stacks?|towers?|heads?|(?:en|de)coders?|backbones?)"
)
_NO_WEIGHTS = rf"(?!'?s?[\s-]+(?:(?!(?:{_STOP}|inside|within|at|through|before|behind|after)\b)\w+\s+)?{_PART})"
_STRONG = r"(?:derivatives?|slopes?|backward(?:s|\s+(?:pass|step|function|rule|behaviou?r))?|back-?prop(?:agation)?)"
_WEAK = r"(?:gradients?|grads?)"
_DETERMINERS = r"(?:(?:the|our|its|their|this|that|each|every|a|an|all|any|my|hidden|first|last|second|inner|output|chosen|whole|same|true|real|used|custom)\s+)*"
_OBJECT = (
    r"(?:"
    rf"{_STRONG}\s+(?:of|for|in|inside|within|at|through)\s+{_DETERMINERS}(?:{_UNIT}|{_LAYER})\b"
    rf"|{_UNIT}(?:'s?)?\s+(?:\w+\s+)?{_STRONG}\b"
    rf"|{_UNIT}{_NO_WEIGHTS}(?:'s?)?\s+{_WEAK}\b(?!\s+(?:clip|norm|of\b))"
    rf"|{_WEAK}\s+(?:of|for|through|inside|within|at)\s+{_DETERMINERS}{_UNIT}{_NO_WEIGHTS}\b"
    r"|\bfprime\b"
    r")"
)
# Up to four words of one noun phrase.
_NOUN_WORDS = rf"(?:(?!{_STOP}\b)[\w'-]+\s+){{0,4}}?"
_VERB = (
    r"(?:chang|modif|replac|alter|adjust|re-?scal|scal|doubl|halv|tripl|multipl|amplif|boost"
    r"|increas|decreas|reduc|damp|shrink|enlarg|strengthen|weaken|steepen|flatten|sharpen|overrid"
    r"|overwrit|swap|substitut|manipulat|customi[sz]|intercept|tweak|simulat|emulat|mimic"
    r"|approximat|exaggerat|mak|set|soften|rais|lower)(?:e|es|ed|ing|en|s|y|ies|ied|ying|ting|t)?"
)
_VERBS = re.compile(rf"\b{_VERB}\b", re.I)
_DONE = (
    r"(?:changed|modified|replaced|altered|adjusted|(?:re)?scaled|doubled|halved|tripled"
    r"|multiplied|amplified|boosted|increased|decreased|reduced|damped|dampened|overridden"
    r"|overwritten|swapped|substituted|steeper|larger|smaller|stronger|weaker|approximated)"
)
_CHANGED = (
    rf"(?:{_DONE}|larger|bigger|smaller|steeper|flatter|stronger|weaker|custom|modified|fake|twice"
    r"|double|half)"
)
_INSTEAD = r"(?:instead|rather\s+than|in\s+place\s+of|different|another|distinct|separate|other)"
_BELOW = r"(?:(?:previous|preceding|earlier|lower|activation)\s+(?:layers?|activations?)|layers?\s+below)"
_TERM = (
    r"(?:(?:surrogate|pseudo)[ -]?(?:gradients?|grads?|derivatives?)"
    r"|straight[ -]through(?:\s+(?:estimators?|gradients?|trick|pass))?"
    r"|guided[ -]?(?:back[ -]?prop\w*|relu)"
    r"|custom\s+(?:back(?:ward\b(?:\s+pass)?|[ -]?prop\w*)|gradient\s+approximation))"
)
_NEGATION = (
    r"\b(?:not|never|cannot|can'?t|won'?t|wouldn'?t|doesn'?t|don'?t|didn'?t"
    r"|isn'?t|without|nothing|no\s+\w+|unable\s+to|fails?\s+to)\b"
)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.I)


# The object is what is changed.
_CHANGES = (
    _pattern(rf"\b{_VERB}\s+{_NOUN_WORDS}{_OBJECT}"),
    _pattern(rf"{_OBJECT}(?:\s+\w+)?\s+(?:is|are|gets?|becomes?|was|to\s+be|being)\s+(?:\w+\s+)?{_DONE}\b"),
    _pattern(rf"\b{_VERB}\b[^.;]{{0,40}}?\bgradients?\b[^.;]{{0,25}}?\b(?:pass\w*|go\w*|flow\w*|sent|propagat\w*|reach\w*)\s+(?:back\s+)?(?:to|into|through)?\s*{_DETERMINERS}(?:{_BELOW}|{_UNIT})\b"),
    _pattern(rf"\b{_VERB}\b[^.;]{{0,40}}?\bgradients?\b[^.;]{{0,15}}?\bbefore\s+(?:it\s+)?(?:reach\w*|enter\w*)\s+{_DETERMINERS}(?:{_BELOW}|{_UNIT})\b"),
    _pattern(rf"\b{_VERB}\b[^.;]{{0,20}}?\bwhat\s+(?:flows|goes)\s+(?:back\s+)?(?:in)?to\s+{_DETERMINERS}(?:{_BELOW}|{_UNIT})\b"),
)  # fmt: skip
# Said of back-propagation it is the chain rule; said of an edit behind the tape, once too often.
_TIMES_DERIVATIVE = (
    _pattern(rf"\b{_VERB}\s+(?:{_NOUN_WORDS}gradients?\s+)?(?:by|with)\s+{_NOUN_WORDS}{_OBJECT}"),
)
# Another function is used backward than forward.
_OTHER_BACKWARD = (
    _pattern(rf"\b(?:different|another|other|separate|distinct|own|custom|new)\s+(?:\w+\s+){{0,2}}?(?:{_UNIT}|derivatives?|functions?)\s+(?:for|in|during|on|when)\s+(?:the\s+)?(?:backward|back-?prop)"),
    _pattern(rf"\b{_UNIT}\b[^.;]{{0,25}}?\b(?:forward|fwd)\b[^.;]{{0,40}}?\b{_UNIT}\b[^.;]{{0,25}}?\b(?:backward|back-?prop|bwd)"),
)  # fmt: skip
# The same, where the words alone could be a description of ordinary back-propagation.
_BACKWARD_WITH = (
    _pattern(rf"\bbackward(?:s|\s+pass)?\s+(?:\w+\s+)?(?:with|using|uses?|like|as)\s+{_NOUN_WORDS}(?:{_OBJECT}|{_UNIT})"),
    _pattern(rf"\b(?:{_OBJECT}|{_UNIT})\s+(?:\w+\s+)?(?:for|in|during|on)\s+(?:the\s+)?(?:backward|back-?prop)"),
    _pattern(rf"(?:^|,\s+|\band\s+)(?:(?:now|then|here|we|it|to)\s+)?(?:us|apply|appli|tak|put|insert|plug|pretend|behav|act|back-?propagat)\w*\s+(?:\w+\s+)?(?:in\s+)?{_NOUN_WORDS}{_OBJECT}"),
)  # fmt: skip
# A title in itself: what stands beneath it is this.
_TITLES = (
    _pattern(rf"^(?:now\s+|then\s+|here\s+|we\s+)?(?:(?:apply|use|add|implement|emulate|mimic|do|with|as|like)\s+)?(?:an?\s+)?{_TERM}\s*(?:$|[,(]|\b(?:for|of|by|with|through|on|here|step|update|train\w*)\b)"),
)  # fmt: skip
_TERM_OF_UNIT = _pattern(rf"\b{_TERM}\s+(?:for|of|in|through|to)\s+{_DETERMINERS}{_UNIT}")
_NOUN_PHRASE = (
    _pattern(rf"^{_DETERMINERS}(?:\w+\s+)?(?:{_STRONG}\s+(?:of|for|in|inside|within)\s+{_DETERMINERS}{_UNIT}|{_UNIT}(?:'s?)?\s+{_STRONG})(?:\s+(?:instead|here|now|again|times|x|by)\b.*|\s*[*x/=]?\s*[\d.]*)$"),
    _pattern(rf"^{_DETERMINERS}{_CHANGED}\s+(?:\w+\s+)?{_OBJECT}"),
)  # fmt: skip
_NAMED = _pattern(rf"^{_UNIT}\s+(?:backward|derivative|prime)$")

_ELSEWHERE = _pattern(
    r"custom_gradient|stop_gradient|\bclip|\btodo\b|\bfixme\b|\bmyth\b"
    r"|\b(?:some|many)\s+(?:people\s+)?(?:believe|think|say|claim)|\bcontrary\s+to\b"
    r"|\b(?:next|later|other|previous|following)\s+(?:section|chapter|example|cell)"
    r"|\bin\s+the\s+(?:paper|literature)\b|\bvanish|\bexplod|\bcompensat|\bunlike\b"
)
_WISHED = _pattern(
    r"\b(?:try|tries|tried|trying|attempt\w*|want\w*|wish\w*|hop(?:e|es|ed|ing)|would\s+like|goal"
    r"|aim\w*|idea|experiment\w*|supposed|meant|should|could|might|how\s+to)\b|^to\s"
)
_CORRECT = (
    _pattern(rf"{_OBJECT}[^.;]{{0,30}}?\b(?:unchanged|untouched|unaffected|stays?|remains?|the\s+same|as\s+(?:it|they)\s+(?:is|are|was|were)|alone|intact)\b"),
    _pattern(rf"\bleav\w+\s+{_NOUN_WORDS}{_OBJECT}"),
    _pattern(r"\b(?:backward\s+pass|derivatives?|fprime)\s+(?:itself\s+)?(?:is|are|stays?|remains?)\s+(?:\w+\s+)?(?:unchanged|untouched|unaffected|the\s+same|not\s+\w+ed)\b"),
    _pattern(rf"{_NEGATION}\s+(?:\w+\s+){{0,2}}?{_VERB.replace('|mak|set', '')}\s+[^.;]{{0,60}}?\b(?:{_STRONG}|{_UNIT}|fprime)"),
    _pattern(rf"{_NEGATION}\s+(?:\w+\s+){{0,2}}?(?:affect|touch|influenc|reach)\w*\s+[^.;]{{0,60}}?\b(?:{_STRONG}|{_UNIT}|fprime)"),
    _pattern(rf"\bnot\s+(?:\w+\s+){{0,2}}?{_OBJECT}"),
)  # fmt: skip
_NOT_THIS_BUT_BELOW = _pattern(
    rf"\bnot\b[^.;]{{0,30}}?{_OBJECT}[^.;]{{0,20}}?\b(?:but|only|rather)\b[^.;]{{0,30}}?\b{_BELOW}"
)
_NEGATED = _pattern(rf"{_NEGATION}(?:\s+\w+){{0,3}}\s*$")
_NOT_DONE = _pattern(rf"(?:{_NEGATION}|\binstead\s+of\b|\brather\s+than\b)(?:\s+\w+){{0,3}}\s*$")
_GENERAL = _pattern(
    r"\b(?:lets?|allow\w*|enabl\w*|possible|can\s+be|you\s+can|one\s+can|permits?|supports?)\b"
)
_THE_EDIT = _pattern(r"\b(?:tape|list|factor|after\s+the|weights?|gradients)\b")
_ABOUT_A_FUNCTION = _pattern(rf"^(?:\w+\s+){{0,2}}?{_UNIT}\s+(?:\w+\s+)?{_VERB}\b")
_THIS_CODE = _pattern(
    r"^(?:this|here|above|the\s+(?:code|example|snippet|line|loop|list|comprehension|factor|step)"
    r"|in\s+(?:this|the)\s+(?:code|example|snippet|step))\b"
)


def read(sentence: str, kind: PassageKind) -> tuple[Reading | None, str]:
    """What a sentence says about the edit, and the words that say it."""
    if _ELSEWHERE.search(sentence):
        return None, ""
    title = kind in ("name", "heading")
    if not title:
        below = _NOT_THIS_BUT_BELOW.search(sentence)
        if below is not None:
            return "claim", below.group()
    if kind == "following" and not _THIS_CODE.search(sentence):
        return _correction(sentence)
    found = _change(sentence, kind) or _other_backward(sentence, kind) or _title(sentence, kind)
    if found is None:
        return _correction(sentence)
    return ("wish" if title or _WISHED.search(sentence) else "claim"), found


def _correction(sentence: str) -> tuple[Reading | None, str]:
    for pattern in _CORRECT:
        match = pattern.search(sentence)
        if match is not None:
            return "correction", match.group()
    return None, ""


def _change(sentence: str, kind: PassageKind) -> str | None:
    """The words that say that the object is changed."""
    if kind in ("docstring", "sentence", "following"):
        general = _GENERAL.search(sentence) and not _THE_EDIT.search(sentence)
        if general or _ABOUT_A_FUNCTION.search(sentence):
            return None
    for pattern in (*_CHANGES, *(_TIMES_DERIVATIVE if kind in ("comment", "name") else ())):
        for match in pattern.finditer(sentence):
            if not _NOT_DONE.search(sentence[: match.start()]):
                return str(match.group())
    return None


def _other_backward(sentence: str, kind: PassageKind) -> str | None:
    """The words that say that another function is used backward."""
    patterns: tuple[re.Pattern[str], ...] = _OTHER_BACKWARD
    if kind == "comment" or re.search(rf"\b{_INSTEAD}\b", sentence, re.I):
        patterns += _BACKWARD_WITH
    for pattern in patterns:
        match = pattern.search(sentence)
        if match is not None and not _NEGATED.search(sentence[: match.start()]):
            return match.group()
    return None


def _title(sentence: str, kind: PassageKind) -> str | None:
    """The words of a comment, title or name that say just what the edit is."""
    patterns = [_TERM_OF_UNIT]
    if kind in ("comment", "name", "heading"):
        patterns += _TITLES
    if kind in ("comment", "name"):
        patterns += _NOUN_PHRASE
    if kind == "name":
        patterns.append(_NAMED)
    for pattern in patterns:
        match = pattern.search(sentence)
        if match is not None and not _NEGATED.search(sentence[: match.start()]):
            return match.group()
    return None
