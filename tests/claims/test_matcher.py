"""What the matcher of claims reads, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lintkeras import engine
from lintkeras.claims.clauses import clauses
from lintkeras.claims.matcher import claims_of
from lintkeras.claims.patterns import book
from lintkeras.claims.reading import said
from lintkeras.claims.sentences import sentences
from lintkeras.documents import kind_of, read
from lintkeras.documents.model import Prose
from lintkeras.findings import Span
from lintkeras.rulebook import load

HERE = Path(__file__).parent
CODES = sorted(book().claims)
NEEDS = {rule.code: rule.needs for rule in load().rules if rule.code in book().claims}
NO_PREFERENCES = [rule.code for rule in load().rules if rule.default]
CLAIM = "Keras does not allow a different activation in the backward pass."


def read_tsv(name: str) -> list[tuple[str, str]]:
    """Code and sentence; a code with a minus does not hold."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [(line.split("\t")[0], line.split("\t")[1]) for line in lines]


def claimed(text: str) -> list[str]:
    prose = Prose(text, Span(0, len(text)))
    found = {c.code for s in sentences(prose, book().lexicon) for c in claims_of(s, CODES)}
    return sorted(found)


def found(text: str, kind: str = "markdown") -> Iterator[tuple[str, str]]:
    """Code and text of each sentence that is found in a document."""
    document = read("x", text.encode(), kind)
    for one in said(document.prose, document.snippets, NEEDS):
        span = one.sentence.span
        yield one.claim.code, document.text[span.start : span.end]


# ---------------------------------------------------------------------------- wordings


@pytest.mark.parametrize(("code", "sentence"), read_tsv("statements.tsv"))
def test_statements(code: str, sentence: str) -> None:
    assert claimed(sentence) == ([] if code.startswith("-") else [code])


def test_statements_that_no_pattern_was_written_for() -> None:
    """Half of the statements were set aside before the first pattern: nothing is tuned to them."""
    false = [pair for pair in read_tsv("held_out.tsv") if not pair[0].startswith("-")]
    others = [pair for pair in read_tsv("held_out.tsv") if pair[0].startswith("-")]
    caught = [sentence for code, sentence in false if code in claimed(sentence)]
    wrong = [sentence for _, sentence in others if claimed(sentence)]
    assert len(caught) >= 0.95 * len(false)
    assert len(wrong) <= 0.03 * len(others)


def test_passages() -> None:
    """Ways to say it that were thought of before the patterns, some over two sentences.

    Of four sets of 120, 120, 72 and 48 the matcher found 71, 78, 44 and 34 when they were new to it;
    what it finds of them since is no measure of what it finds elsewhere.
    """
    passages = [(code, f"# Keras\n\n{text}\n") for code, text in read_tsv("passages.tsv")]
    false = [(code, text) for code, text in passages if not code.startswith("-")]
    caught = [text for code, text in false if code in dict(found(text))]
    wrong = [text for code, text in passages if code.startswith("-") and list(found(text))]
    assert len(caught) >= 0.9 * len(false)
    assert wrong == []


PAGES = sorted((HERE / "pages").iterdir())


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_a_page_of_correct_statements_stays_silent(page: Path) -> None:
    """Whole pages on what the claims are about, prose and code."""
    kind = kind_of(page.name, {})
    assert kind is not None
    report = engine.lint(str(page), page.read_bytes(), kind, NO_PREFERENCES)
    assert report.document is not None and report.findings == ()


def test_there_are_twenty_pages() -> None:
    assert len(PAGES) == 20


@pytest.mark.parametrize("code", CODES)
def test_a_page_shows_what_is_caught_and_what_is_not(code: str) -> None:
    rule = load().find(code)
    assert rule is not None
    examples = [e for e in rule.examples() if e.language == "markdown"]
    bad = [e for e in examples if e.role == "bad"]
    good = [line for e in examples if e.role == "good" for line in e.text.splitlines()]
    assert sum(len(e.marked()[1]) for e in bad) >= 8
    assert sum(line.startswith("- ") for line in good) >= 8
    assert rule.reads == "prose"


def test_every_claim_has_a_page() -> None:
    assert {rule.code for rule in load().rules if rule.reads == "prose"} == set(CODES)


def test_every_word_of_a_pattern_can_be_read() -> None:
    lexicon = book().lexicon
    for word in lexicon.vocabulary - {"-", ",", ":"}:
        assert lexicon.lemma(word) == word
        assert word not in lexicon.left_out


# ---------------------------------------------------------------------------- grammar


@pytest.mark.parametrize(
    "sentence",
    [
        CLAIM.replace(".", "?"),
        "Does Keras not allow a different activation in the backward pass?",
        f'The page said "{CLAIM}"',
        f"\u201c{CLAIM}\u201d is what the page said.",
        "It is a myth that Keras does not allow a different activation in the backward pass.",
        "Contrary to what you may read, " + CLAIM,
        "Keras might not allow a different activation in the backward pass.",
        "Keras did not allow a different activation in the backward pass.",
        "If Keras does not allow a different activation in the backward pass, write one.",
        "PyTorch does not allow a different activation in the backward pass.",
        "It is not impossible to use a different activation in the backward pass of Keras.",
        "Keras never forbids a different activation in the backward pass.",
        f"{CLAIM} This is wrong.",
        "Wrong: " + CLAIM,
    ],
)
def test_no_statement_of_the_author(sentence: str) -> None:
    assert list(found(f"About Keras.\n\n{sentence}\n")) == []


@pytest.mark.parametrize(
    "sentence",
    [
        CLAIM,
        "No, Keras doesn\u2019t allow a *different* activation in the backward pass.",
        "Unlike PyTorch, Keras does not allow a different activation in the backward pass.",
        "A different activation in the backward pass is not allowed by Keras.",
        "Although it is useful, a different activation in the backward pass isn't possible in Keras.",
        "Keras is simple, but it cannot use a different activation in the backward pass.",
        "Keras prohibits a different activation in the backward pass (see below).",
        "No way to have a different activation in the backward pass exists in Keras.",
    ],
)
def test_the_same_in_other_words(sentence: str) -> None:
    assert [code for code, _ in found(sentence)] == ["LK811"]


def test_a_condition_is_a_clause_of_its_own() -> None:
    prose = Prose("If it rains, we stay, but they go when it stops.", Span(0, 0))
    (sentence,) = sentences(prose, book().lexicon)
    parts = [(c.text.strip(), c.conditional) for c in clauses(sentence.words)]
    assert parts == [
        ("it rains", True), ("we stay ,", False), ("it stop", True), ("they go", False),
    ]  # fmt: skip


def test_a_condition_ends_with_the_next_subject() -> None:
    prose = Prose("If you freeze it the layer will still update.", Span(0, 0))
    (sentence,) = sentences(prose, book().lexicon)
    parts = [(c.text.strip(), c.conditional) for c in clauses(sentence.words)]
    assert parts == [("you freeze it", True), ("layer will update", False)]


def test_the_arguments_of_a_call_are_no_aside() -> None:
    prose = Prose("Use Adam(clipnorm=1) (a good choice) here", Span(0, 0))
    (sentence,) = sentences(prose, book().lexicon)
    parts = [c.text.strip() for c in clauses(sentence.words)]
    assert parts == ["use adam clipnorm here", "good choice"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Keras layers have one activation. It is used both ways.", ["LK811"]),
        ("We set `model.trainable = False`. This disables dropout.", ["LK818"]),
        ("The optimizer has clipnorm. Its value bounds the norm over all gradients.", ["LK820"]),
        # what is denied, told of the past, said by others or not pointed at is no context
        ("We do not set `model.trainable = False`. This disables dropout.", []),
        ("We used `model.trainable = False` in Keras 1.x. This disables dropout.", []),
        ("People think of `model.trainable = False`. This disables dropout.", []),
        ("We set `model.trainable = False`. Calling predict disables dropout.", []),
        ("We set `model.trainable = False`. This does not disable dropout.", []),
    ],
)
def test_a_pronoun_points_at_the_sentence_before(text: str, codes: list[str]) -> None:
    assert [code for code, _ in found(text)] == codes


def test_sentences_end_at_full_stops_only() -> None:
    prose = Prose("Use `a.b. C` e.g. Adam, with 0.5. Then `x`. Done", Span(0, 0))
    texts = [sentence.text for sentence in sentences(prose, book().lexicon)]
    assert texts == ["Use `a.b. C` e.g. Adam, with 0.5.", "Then `x`.", "Done"]


# ---------------------------------------------------------------------------- documents


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_finding_is_its_sentence_as_it_is_written(newline: str) -> None:
    written = (
        "Keras **does not allow** a [different](http://x.y/a) activation\nin the `backward` pass."
    )
    text = f"# Café 🎈\n\n* One. {written} Two.\n".replace("\n", newline)
    written = written.replace("\n", newline)
    assert list(found(text)) == [("LK811", written)]


@pytest.mark.parametrize(
    "text",
    [
        f"> {CLAIM}\n",
        f"| claim |\n|---|\n| {CLAIM} |\n",
        f"# Common misconceptions\n\n- {CLAIM}\n",
        f"These sentences about Keras are wrong:\n\n- {CLAIM}\n",
        f"```text\n{CLAIM}\n```\n",
        "# Does Keras allow it\n\n# Can a different activation not be used in the backward pass\n",
        "# Keras and PyTorch\n\n## PyTorch\n\nYou cannot use a different activation in the "
        "backward pass.\n",
    ],
)
def test_where_nobody_states_anything(text: str) -> None:
    assert list(found(text)) == []


def test_comments_and_docstrings() -> None:
    source = '''"""About Keras.

Keras does not allow a different
activation in the backward pass.

    >>> # Keras does not allow a different activation in the backward pass.
"""
import keras

text = """Keras does not allow a different activation in the backward pass."""


class A:
    """Keras does not allow a different activation in the backward pass."""

    def f(self):  # Keras does not allow a different activation in the backward pass.
        """Nothing.

        - Keras does not allow a different activation in the backward pass.
        """
        # Keras does not allow a different activation
        # in the backward pass.
        return {
            "a":
                """Keras does not allow a different activation in the backward pass."""
        }
'''
    texts = [text for _, text in found(source, "python")]
    assert sorted(" ".join(text.replace("#", "").split()) for text in texts) == [CLAIM] * 5


def test_comments_of_another_library() -> None:
    comment = "# The activation's derivative cannot be replaced in the backward pass.\n"
    assert list(found(f"import torch\n{comment}", "python")) == []
    assert [code for code, _ in found(f"import keras\n{comment}", "python")] == ["LK811"]


def test_a_page_without_code_is_read() -> None:
    report = engine.lint("x.md", CLAIM.encode(), "markdown", CODES)
    (finding,) = report.findings
    assert finding.rule == "LK811"
    assert (finding.span.start, finding.span.end) == (0, len(CLAIM))


def test_code_is_not_parsed_for_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that only the rules of prose could concern needs no CST without a claim."""
    import lintkeras.syntax.parse as parse

    monkeypatch.setattr(parse, "parse_snippet", None)
    source = "import keras\n# the activation and its derivative in the backward pass\n"
    assert engine.lint("x.py", source.encode(), "python", CODES).findings == ()


def test_early_stopping_asks_the_nearest_code() -> None:
    sentence = "EarlyStopping restores the best weights.\n\n"
    stops = "```python\nimport keras\nkeras.callbacks.EarlyStopping({})\n```\n"
    restoring = stops.format("restore_best_weights=True")
    plain = stops.format("patience=3")
    for text, count in [
        (sentence, 0), (sentence + plain, 1), (sentence + restoring, 0),
        (sentence + restoring + "\nMore.\n\n" + plain, 0),
        (sentence + plain + "\nMore.\n\n" + restoring, 1),
        (sentence + stops.format("**options"), 0),
    ]:  # fmt: skip
        report = engine.lint("x.md", text.encode(), "markdown", ["LK829"])
        assert len(report.findings) == count, text


def test_notebooks() -> None:
    source = [
        '# A "title"\n',
        "\n",
        "é. Keras **does not allow** a different activation\n",
        "in the backward pass.",
    ]
    data = json.dumps({"cells": [{"cell_type": "markdown", "source": source}], "nbformat": 4})
    document = read("x.ipynb", data.encode(), "notebook")
    (one,) = said(document.prose, document.snippets, NEEDS)
    assert one.sentence.span.start == data.index("Keras")
    assert one.sentence.span.end == data.index("pass.") + len("pass.")


def test_restructured_text() -> None:
    written = "Keras does not allow a *different* activation\nin the :class:`~keras.Foo` ``backward`` pass."
    text = f"Keras\n=====\n\nOne, é. {written} Two.\n"
    document = read("x.rst", text.encode(), "rst")
    (one,) = said(document.prose, document.snippets, NEEDS)
    assert text[one.sentence.span.start : one.sentence.span.end] == written
