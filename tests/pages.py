"""What the tests of the rule book and its regeneration share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lintkeras import engine
from lintkeras.fixes import Choice, Consent, fix
from lintkeras.rulebook import Example, Rule, load

CODES = load().select(["ALL"])
# For the language of an example: its name, its bytes and how it is read.
KINDS: dict[str, Callable[[str], tuple[str, bytes, str]]] = {
    "python": lambda text: ("x.py", text.encode(), "python"),
    "markdown": lambda text: ("x.md", text.encode(), "markdown"),
}


def lint(source: str, language: str, target: str | None = None) -> list[tuple[int, str, str]]:
    """Line, severity and code of every finding."""
    report = engine.lint(*KINDS[language](source), CODES, target=target)
    document = report.document
    return [
        (document.position(f.span.start)[0], engine.severity_of(f).label, f.rule)
        for f in report.findings
        if document is not None
    ]


def blocks(rule: Rule) -> Iterator[tuple[Example, list[Example]]]:
    """Each bad example with the fixed ones below it."""
    bad: Example | None = None
    fixed: list[Example] = []
    for example in (*rule.examples(), Example("", "good", "")):
        if example.role == "fixed":
            fixed.append(example)
        else:
            if bad is not None:
                yield bad, fixed
            bad, fixed = (example if example.role == "bad" else None), []


def fixed_text(rule: Rule, source: str, language: str, *words: str) -> str | None:
    """What the rule's fixes make of a program, by default or by the one that ``words`` names."""
    path, data, kind = KINDS[language](source)
    targets = [word.removeprefix("target=") for word in words if word.startswith("target=")]
    target = targets[0] if targets else None
    plain = [
        word
        for word in words
        if word not in ("no-run", "by-hand") and not word.startswith("target=")
    ]
    named = [word.split("@") for word in plain]
    choices = [Choice(rule.code, *parts) for parts in named]
    done = fix(
        data,
        Consent(unsafe=True, choices=tuple(choices)),
        lambda new: engine.lint(path, new, kind, {rule.code}, target=target),
    )
    return done.data.decode() if done.made else None
