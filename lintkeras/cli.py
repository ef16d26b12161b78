"""Commands and options, nothing else; the only place that knows click."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from lintkeras import __version__
from lintkeras.config import FAIL_ON, ConfigError
from lintkeras.reports import FORMATS
from lintkeras.terminal import write


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="lintkeras")
def cli() -> None:
    """Lint Keras and TensorFlow code and documents."""


def _list(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """A repeatable option whose values may hold several, separated by commas."""
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())


def _rules(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> Any:
    from lintkeras.config import rules

    try:
        return rules(_list(context, option, texts))
    except ConfigError as error:
        raise click.BadParameter(str(error)) from error


def _extensions(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> Any:
    from lintkeras.config import extensions

    pairs = [pair.rpartition(":") for pair in _list(context, option, texts)]
    try:
        if not all(extension for extension, _, _ in pairs):
            raise ConfigError("must be EXT:KIND, such as txt:markdown")
        return extensions({extension: kind for extension, _, kind in pairs})
    except ConfigError as error:
        raise click.BadParameter(str(error)) from error


def _choices(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> Any:
    from lintkeras.fixes import Choice
    from lintkeras.rulebook import load

    choices = []
    for text in _list(context, option, texts):
        name, equals, fix = text.partition("=")
        fix, at, target = fix.partition("@")
        if not (name and equals and fix and bool(at) == bool(target)):
            raise click.BadParameter(
                f"{text!r} must be RULE=FIX_ID or RULE=FIX_ID@TARGET, such as LK101=stop-gradient"
            )
        rule = load().find(name)
        if rule is None:
            raise click.BadParameter(str(load().unknown(name)))
        choices.append(Choice(rule.code, fix, target or None))
    return tuple(choices)


@cli.command()
@click.argument("paths", nargs=-1)
@click.option("--select", multiple=True, callback=_rules, metavar="RULE,...",
              help="Run these instead of what is configured: code, name, prefix, family, ALL.")  # fmt: skip
@click.option("--ignore", multiple=True, callback=_rules, metavar="RULE,...",
              help="Leave these out, too.")  # fmt: skip
@click.option("--extension", multiple=True, callback=_extensions, metavar="EXT:KIND",
              help="Read files with this extension as python, notebook, markdown or rst.")  # fmt: skip
@click.option("--fix", is_flag=True, help="Apply safe fixes.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="Count and apply fixes that change training too."
)
@click.option("--choose", multiple=True, callback=_choices, metavar="RULE=FIX_ID[@TARGET]",
              help="Apply this fix of a rule and no other.")  # fmt: skip
@click.option("--diff", is_flag=True, help="Print what --fix would change, and write nothing.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit 1 when something was fixed.")
@click.option("--fail-on", type=click.Choice(FAIL_ON),
              help="The least severity that exits 1 (default: warning).")  # fmt: skip
@click.option("--exit-zero", is_flag=True, help="Exit 0 also with findings.")
@click.option("--stdin-filename", metavar="PATH", help="The file that standard input stands for.")
@click.option("--output-format", type=click.Choice(FORMATS), default="full", show_default=True)
def check(paths: tuple[str, ...], unsafe_fixes: bool, choose: Any, **options: Any) -> None:
    """Lint Python files, notebooks, and Markdown and reStructuredText pages.

    PATHS are files and folders (default: the current folder); - is standard input.
    """
    from lintkeras.fixes import Consent
    from lintkeras.run import Options, Run

    consent = Consent(unsafe_fixes, choose)
    raise SystemExit(Run(Options(consent=consent, **options)).go(paths or (".",)))


@cli.command()
@click.argument("rule")
@click.option("--prove", is_flag=True, help="Run the proof in TensorFlow and print its numbers.")
def explain(rule: str, prove: bool) -> None:
    """Print the page of a rule.

    RULE is a code, a name, or a line of a report that holds a code.
    """
    from lintkeras.rulebook import load

    found = load().find(rule)
    if found is None:
        raise click.UsageError(str(load().unknown(rule)))
    write(sys.stdout, found.page.rstrip("\n"))
    if prove:
        from lintkeras.proofs import ProofUnavailable, run_proof

        write(sys.stdout, "")
        try:
            holds = run_proof(found, lambda line: write(sys.stdout, line))
        except ProofUnavailable as error:
            raise click.UsageError(str(error)) from error
        write(sys.stdout, "proven" if holds else "NOT proven")
        raise SystemExit(0 if holds else 2)


@cli.command()
def rules() -> None:
    """List the rules."""
    from lintkeras.rulebook import load

    for rule in load().rules:
        severity = rule.severity.label
        write(
            sys.stdout, f"{rule.code}  {rule.name:<34} {rule.family:<10} {severity:<8} {rule.fix}"
        )


def main() -> None:
    """The ``lintkeras`` command: 0 clean, 1 findings, 2 trouble, 130 interrupted."""
    try:
        status = _run(sys.argv[1:])
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # Nothing more can be written, also not when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not isinstance(error, BrokenPipeError):  # else nobody reads on
            click.echo(f"error: {error.strerror or error}", err=True)
        status = 2
    except KeyboardInterrupt:
        os._exit(130)  # the thread of the analysis cannot be ended in good order
    raise SystemExit(status)


def _run(arguments: list[str]) -> int:
    """The exit code of a command; click's own ``main`` would exit 1 on a broken pipe."""
    try:
        with cli.make_context("lintkeras", arguments) as context:
            cli.invoke(context)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 2
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except OSError:
        raise
    except Exception as error:
        click.echo(f"error: internal error: {type(error).__name__}: {error}", err=True)
        return 2
    return 0
