"""Commands and options, nothing else; the only place that knows click."""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lintkeras import __version__
from lintkeras.config import FAIL_ON, ConfigError, Settings, extensions, find
from lintkeras.findings import Severity

FORMATS = ("full", "concise", "json")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="lintkeras")
def cli() -> None:
    """Lint Keras and TensorFlow code and documents."""


@cli.command()
@click.argument("paths", nargs=-1)
@click.option("--select", multiple=True, help="Rules to run: code, name, prefix, family, ALL.")
@click.option("--ignore", multiple=True, help="Rules to leave out.")
@click.option("--exclude", multiple=True, help="Patterns of files to leave out.")
@click.option("--extension", multiple=True, metavar="EXT:KIND", help="Read EXT files as KIND.")
@click.option("--fix", "fixing", is_flag=True, help="Apply safe fixes.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix: also fixes that change training.")
@click.option("--choose", multiple=True, metavar="RULE=FIX_ID", help="Pick a fix for a rule.")
@click.option("--diff", is_flag=True, help="Print what --fix would change, write nothing.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit 1 when something was fixed.")
@click.option("--fail-on", type=click.Choice(FAIL_ON), help="The least severity that exits 1.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also with findings.")
@click.option("--stdin-filename", default="stdin.py", help="The name of standard input (-).")
@click.option("--output-format", type=click.Choice(FORMATS), default="full")
def check(paths: tuple[str, ...], **options: Any) -> None:
    """Lint files and folders (default: the current folder; - is standard input)."""
    from lintkeras.syntax.stack import run_with_deep_stack

    raise SystemExit(run_with_deep_stack(lambda: _Run(paths or (".",), options).go()))


class _Run:
    """One ``check``."""

    def __init__(self, paths: tuple[str, ...], options: dict[str, Any]) -> None:
        self.paths = paths
        self.options = options
        self.trouble = False
        self.fixed = 0

    def complain(self, text: str) -> None:
        """An error that does not stop the run, but makes it exit 2."""
        self.trouble = True
        click.echo(f"error: {text}", err=True)

    def go(self) -> int:
        """Run; the exit code."""
        from lintkeras import engine, reports
        from lintkeras.rulebook import UnknownRule

        try:
            results = [r for path in self.paths for r in self.path(path)]
        except (ConfigError, UnknownRule) as error:
            click.echo(f"error: {error}", err=True)
            return 2
        writers = {"full": reports.full, "concise": reports.concise, "json": reports.as_json}
        fixing_input = "-" in self.paths and self.options["fixing"]
        if not self.options["diff"] and not fixing_input:
            for line in writers[self.options["output_format"]](results):
                click.echo(_encodable(line))
        self.summary(results)
        if self.trouble:
            return 2
        if self.options["exit_zero"]:
            return 0
        fail_on = self.options["fail_on"] or find(Path.cwd()).fail_on
        worst = max((engine.severity_of(f) for r in results for f in r.findings), default=0)
        failed = fail_on != "never" and worst >= Severity[fail_on.upper()]
        return int(failed or bool(self.fixed and self.options["exit_non_zero_on_fix"]))

    def summary(self, results: list[Any]) -> None:
        """What was found, on standard error."""
        from lintkeras.findings import Applicability

        findings = [f for r in results for f in r.findings]
        if self.fixed:
            click.echo(f"Fixed {self.fixed}.", err=True)
        if not findings or self.options["output_format"] == "json":
            return
        kinds = [f.fixes[0].applicability for f in findings if f.fixes]
        files = sum(bool(r.findings) for r in results)
        click.echo(
            f"Found {len(findings)} in {files} file{'s' * (files != 1)}. "
            f"{kinds.count(Applicability.SAFE)} fixable with --fix, "
            f"{kinds.count(Applicability.UNSAFE)} with --unsafe-fixes.   "
            f"lintkeras explain {findings[0].rule}",
            err=True,
        )

    def settings(self, folder: Path) -> Settings:
        """The settings for files of a folder, with the options on top."""
        settings = find(folder)
        pairs = [p for text in self.options["extension"] for p in text.split(",")]
        if any(":" not in pair for pair in pairs):
            raise ConfigError("--extension wants EXT:KIND")
        given = extensions(dict(p.split(":", 1) for p in pairs), "--extension")
        return replace(
            settings,
            extension={**settings.extension, **given},
            exclude=(*settings.exclude, *self.options["exclude"]),
            select=_split(self.options["select"]) or settings.select,
            ignore=(*settings.ignore, *_split(self.options["ignore"])),
        )

    def path(self, path: str) -> list[Any]:
        """The reports of one argument."""
        from lintkeras.documents import kind_of
        from lintkeras.project import files
        from lintkeras.rulebook import load

        here = Path(os.path.abspath("." if path == "-" else path))
        settings = self.settings(here if here.is_dir() else here.parent)
        codes = load().select(settings.select) - load().select(settings.ignore)
        if path == "-":
            name = self.options["stdin_filename"]
            kind = kind_of(name, settings.extension) or "python"
            return [self.file(None, name, sys.stdin.buffer.read(), kind, codes)]
        if not os.path.exists(path):
            self.complain(f"{path}: no such file or directory")
            return []
        found = []
        count = 0
        for file in files(Path(path), settings):
            count += 1
            file_kind = kind_of(file.name, settings.extension)
            if file_kind is None:
                self.complain(f"{file}: not a kind of file that lintkeras reads (--extension)")
                continue
            try:
                data = file.read_bytes()
            except OSError as error:
                self.complain(f"{file}: {error.strerror}")
                continue
            found.append(self.file(file, file.as_posix(), data, file_kind, codes))
        if not count:
            click.echo(f"warning: no files to check in {path}", err=True)
        return found

    def file(
        self, file: Path | None, name: str, data: bytes, kind: str, codes: frozenset[str]
    ) -> Any:
        """Lint and, if asked, fix one file."""
        from lintkeras import engine

        if self.options["fixing"] or self.options["diff"] or self.options["choose"]:
            choose = dict(text.split("=", 1) for text in self.options["choose"] if "=" in text)
            new, made = engine.fix(
                name, data, kind, codes, unsafe=self.options["unsafe_fixes"], choose=choose
            )
            if self.options["diff"]:
                self.show_diff(name, data, new)
            else:
                self.fixed += made
                if file is None:
                    click.echo(new, nl=False)
                elif new != data:
                    self.write(file, new)
                data = new
        return engine.lint(name, data, kind, codes)

    def show_diff(self, name: str, old: bytes, new: bytes) -> None:
        """A unified diff on standard output."""
        before, after = (d.decode("utf-8", "replace").splitlines(True) for d in (old, new))
        for difference in difflib.unified_diff(before, after, name, name):
            click.echo(_encodable(difference.rstrip("\r\n")))

    def write(self, file: Path, data: bytes) -> None:
        """Replace a file as a whole, keeping its mode."""
        target = Path(os.path.realpath(file))
        try:
            mode = target.stat().st_mode
            handle, temporary = tempfile.mkstemp(dir=target.parent)
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        except OSError as error:
            self.complain(f"{file}: {error.strerror}")


def _split(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())


def _encodable(text: str) -> str:
    """Text that standard output can take, whatever its encoding."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


@cli.command()
@click.argument("rule")
@click.option("--prove", is_flag=True, help="Run the proof in TensorFlow and print its numbers.")
def explain(rule: str, prove: bool) -> None:
    """Print the page of a rule (a code, a name, or a pasted line)."""
    from lintkeras.rulebook import load

    found = load().find(rule)
    if found is None:
        click.echo(f"error: unknown rule {rule!r}", err=True)
        raise SystemExit(2)
    click.echo(_encodable(found.page), nl=False)
    if prove:
        from lintkeras.proofs import ProofUnavailable, run_proof

        click.echo()
        try:
            holds = run_proof(found, lambda line: click.echo(_encodable(line)))
        except ProofUnavailable as error:
            click.echo(f"error: {error}", err=True)
            raise SystemExit(2) from error
        click.echo("proven" if holds else "NOT proven")
        raise SystemExit(0 if holds else 2)


@cli.command()
def rules() -> None:
    """List the rules."""
    from lintkeras.rulebook import load

    for rule in load().rules:
        severity = rule.severity.label
        click.echo(f"{rule.code}  {rule.name:<34} {rule.family:<10} {severity:<8} {rule.fix}")


def main() -> None:
    """The ``lintkeras`` command: 0 clean, 1 findings, 2 trouble, 130 interrupted."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        raise SystemExit(2) from error
    except (click.Abort, KeyboardInterrupt):
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(2) from None
    except Exception as error:
        click.echo(f"error: internal error: {type(error).__name__}: {error}", err=True)
        raise SystemExit(2) from error
