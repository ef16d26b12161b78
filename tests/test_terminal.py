"""What reaches a terminal."""

from __future__ import annotations

import io

import pytest

from lintkeras.terminal import cells, clean, paint, wants_color, write, write_bytes


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x = 1", "x = 1"),
        ("é 学\u3000😀\u00a0", "é 学\u3000😀\u00a0"),
        ("a\tb", "a    b"),
        ("\x1b[31m\x07\x7f\x9b", "\\x1b[31m\\x07\\x7f\\x9b"),
        ("\u202e\u2066\ufeff", "\\u202e\\u2066\\ufeff"),
        ("\ud800\udcff", "\\ud800\\udcff"),
        ("a\r\nb\u2028c", "a\\r\\nb\\u2028c"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_cells() -> None:
    assert [cells(text) for text in ("ab", "é", "e\u0301", "学", "😀", "\uff57")] == [
        2,
        1,
        1,
        2,
        2,
        2,
    ]


def test_bytes_are_cleaned_for_a_terminal_alone() -> None:
    line = b"+x = '\x1b[2J'\xff\r\n"
    terminal = Terminal()
    write_bytes(terminal, line)
    assert terminal.getvalue() == "+x = '\\x1b[2J'\ufffd\n"
    pipe = io.TextIOWrapper(buffer := io.BytesIO(), encoding="utf-8")
    write_bytes(pipe, line)
    assert buffer.getvalue() == line
    write_bytes(None, line)
    write(None, "x")


def test_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert wants_color(Terminal())
    assert not wants_color(io.StringIO())
    assert not wants_color(None)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_color(Terminal())
    assert paint("error", "error", False) == "error"
    assert paint("error", "error", True) == "\x1b[1;31merror\x1b[0m"
