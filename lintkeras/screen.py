"""The cheap pass: which rules can fire on a file at all.

A rule can fire only where one word of each group that its page says it needs occurs. A rule that
reads prose can fire only where a sentence makes its claim, one that reads docstrings where a
docstring disagrees with its signature, and one that reads names where a path below Keras or
TensorFlow is unknown; a file that only such rules could concern is read for these before its code
is parsed. The screen may err on the safe side alone.
"""

from __future__ import annotations

from collections.abc import Collection

from lintkeras.documents.model import Document
from lintkeras.modules import ProjectModules
from lintkeras.rulebook import load


def candidates(data: bytes, codes: Collection[str]) -> frozenset[str]:
    """The codes of the rules that the bytes of a file give a chance to fire."""
    return frozenset(
        rule.code
        for rule in load().rules
        if rule.code in codes
        and rule.needs
        and all(any(word in data for word in group) for group in rule.needs)
    )


def worth_parsing(
    document: Document,
    codes: frozenset[str],
    target: str | None = None,
    modules: ProjectModules | None = None,
) -> frozenset[str]:
    """What is left of the candidates of a document when its text has been read.

    Nothing is read where a candidate asks for the code, which is parsed then.
    """
    rules = [rule for rule in load().rules if rule.code in codes]
    if any(rule.reads == "code" for rule in rules):
        return codes
    left: set[str] = set()
    names = {rule.code for rule in rules if rule.reads == "names"}
    if names and _names_something_unknown(document.text, target):
        return codes
    rules = [rule for rule in rules if rule.code not in names]
    needs = {rule.code: rule.needs for rule in rules if rule.reads == "prose"}
    if needs:
        from lintkeras.claims.reading import said

        left |= {one.claim.code for one in said(document.prose, document.snippets, needs)}
    if len(needs) < len(rules):
        from lintkeras.keras_api.releases import Releases
        from lintkeras.signatures.disagreements import disagreements

        # That the file asks for Keras 2 by its environment only the code can say.
        for legacy in (False, True) if "TF_USE_LEGACY_KERAS" in document.text else (False,):
            releases = Releases(target, legacy=legacy)
            found = disagreements(document, releases, modules or ProjectModules())
            left |= {one.rule for one in found} & codes
    return frozenset(left)


def _names_something_unknown(text: str, target: str | None) -> bool:
    """Whether a text holds a dotted path below Keras or TensorFlow that no symbol is known by."""
    from lintkeras.documents.mentions import paths_in
    from lintkeras.keras_api.releases import Releases, place_of

    releases = [Releases(target)]
    if "TF_USE_LEGACY_KERAS" in text:
        releases.append(Releases(target, legacy=True))
    for path in paths_in(text):
        place = place_of("tensorflow" + path[2:] if path.startswith("tf.") else path)
        if place is not None and any(one.symbol(place) is None for one in releases):
            return True
    return False
