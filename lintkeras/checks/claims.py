"""False sentences about Keras (LK811 to LK834): what the matcher finds, with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lintkeras.checks.registry import Context, checks_of
from lintkeras.claims.patterns import book
from lintkeras.claims.reading import Said, said
from lintkeras.findings import Finding, Note
from lintkeras.meaning.facts import ObjectMade
from lintkeras.rulebook import load


@checks_of(sorted(book().claims))
def false_claim(context: Context, code: str) -> Iterator[Finding]:
    """The sentences that make the claim of a rule, where the code beside them confirms it."""
    confirmed = _CONFIRMED.get(code, _always)
    rule = load().find(code)
    assert rule is not None
    snippets = (one.snippet for one in context.program.parsed)
    for one in said(context.prose, snippets, {code: rule.needs}):
        if confirmed(context, one):
            claim = one.claim
            notes = (Note("note", claim.note),)
            yield Finding(code, one.sentence.span, claim.message, notes=notes)


def _always(context: Context, one: Said) -> bool:
    return True


def _weights_are_left(context: Context, one: Said) -> bool:
    """Whether the code beside a sentence makes an EarlyStopping that restores nothing."""
    program = context.program
    made = {
        fact.node: fact.instance.arguments.get("restore_best_weights", 6)
        for fact in context.facts.all(ObjectMade)
        if fact.instance.class_name == "keras.callbacks.EarlyStopping" and program.owns(fact.node)
    }
    if not made:
        return False
    at = one.sentence.span.start
    nearest = min(made, key=lambda node: abs(program.span(node).start - at))
    beside = program.snippet_of(nearest)
    return all(given is None for node, given in made.items() if program.snippet_of(node) is beside)


_CONFIRMED: Mapping[str, Callable[[Context, Said], bool]] = {"LK829": _weights_are_left}
