"""Writes the ``fixed`` examples of the rule book anew: what the fixes make of the bad ones.

    python -m tests.regenerate_pages [LK101 ...]

Review the difference before you commit it: the pages are what users read.
"""

from __future__ import annotations

import sys

from lintkeras.rulebook import Rule, load
from tests.pages import blocks, fixed_text


def regenerate(rule: Rule) -> bool:
    """Write one page; whether it changed."""
    changes = []
    for bad, fixed in blocks(rule):
        for example in fixed:
            if "by-hand" in example.words:
                continue
            made = fixed_text(rule, bad.marked()[0], bad.language, *example.words)
            if made is None:
                print(f"{rule.code}: no fix for\n{bad.text}", file=sys.stderr)
            elif made != example.text:
                changes.append((example, made))
    page = rule.page
    for example, made in reversed(changes):
        page = page[: example.at] + made + page[example.at + len(example.text) :]
    text = rule.path.read_text(encoding="utf-8")
    rule.path.write_text(text.replace(rule.page.strip(), page.strip()), encoding="utf-8")
    return bool(changes)


def main(codes: list[str]) -> None:
    """Write the pages of these codes, or all."""
    for rule in load().rules:
        if (not codes or rule.code in codes) and regenerate(rule):
            print(rule.path.name)


if __name__ == "__main__":
    main(sys.argv[1:])
