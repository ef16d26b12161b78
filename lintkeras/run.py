"""One ``check``: paths -> files -> reports, and the exit code."""

from __future__ import annotations

import collections
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lintkeras import reports
from lintkeras.config import Settings, did_you_mean
from lintkeras.engine import ALWAYS, FileReport, Reading, lint, severity_of
from lintkeras.findings import Finding, Severity, Span
from lintkeras.fixes import Choice, Consent, Fixed, fix
from lintkeras.modules import ProjectModules
from lintkeras.project import Project, Source, fits
from lintkeras.reports.concise import line
from lintkeras.rulebook import load
from lintkeras.summary import Summary
from lintkeras.terminal import clean, wants_color, write, write_bytes
from lintkeras.writing import replace_file, unified_diff


@dataclass(frozen=True)
class Options:
    """What the command line says; None and empty: what the settings say."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extension: Mapping[str, str] = field(default_factory=dict)
    fail_on: str | None = None
    fix: bool = False
    diff: bool = False
    consent: Consent = field(default_factory=Consent)
    exit_non_zero_on_fix: bool = False
    exit_zero: bool = False
    stdin_filename: str | None = None
    output_format: str = "full"

    def amend(self, settings: Settings) -> Settings:
        """Settings with the command line on top: ``--select`` sets both their lists aside."""
        return replace(
            settings,
            select=self.select or settings.select,
            ignore=self.ignore if self.select else (*settings.ignore, *self.ignore),
            extension={**settings.extension, **self.extension},
            fail_on=self.fail_on or settings.fail_on,
        )


class Run:
    """One run over all paths. Analysis knows nothing of streams; what is said is said here."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.project = Project(options.amend, self.complain)
        self.summary = Summary(options.consent)
        self.trouble = False
        self.failed = False
        self._modules = ProjectModules()
        self._chosen: list[Finding] = []
        self._complaints: set[str] = set()

    def say(self, text: str) -> None:
        """A line on standard error, which carries all but the findings."""
        if sys.stdout is not None:
            sys.stdout.flush()  # a log of both keeps their order
        write(sys.stderr, clean(text))

    def complain(self, text: str) -> None:
        """An error that does not stop the run, but makes it exit 2."""
        self.trouble = True
        if text not in self._complaints:
            self._complaints.add(text)
            self.say(f"error: {text}")

    def go(self, paths: Sequence[str]) -> int:
        """Check the paths; the exit code."""
        options = self.options
        if options.consent.choices and not (options.fix or options.diff):
            self.say("warning: --choose changes nothing without --fix or --diff")
        found = self._reports(dict.fromkeys(paths))
        if options.diff:
            collections.deque(found, maxlen=0)  # the diffs are all there is to show
        else:
            # The fixed standard input takes the place of the findings.
            stream = sys.stderr if options.fix and "-" in paths else sys.stdout
            color = wants_color(stream)
            for text in reports.writer(options.output_format)(found, color):
                write(stream, text)
        self._close()
        if self.trouble:
            return 2
        if options.exit_zero:
            return 0
        changed = self.summary.fixes > 0
        if options.diff:
            return int(changed)
        return int(self.failed or (changed and options.exit_non_zero_on_fix))

    def _close(self) -> None:
        """The closing lines."""
        options, summary = self.options, self.summary
        if summary.fixes or options.diff:
            self.say(summary.fixed_line("Would fix" if options.diff else "Fixed"))
        if not options.diff and options.output_format != "json":
            silent = options.output_format == "concise" or (self.trouble and not summary.checked)
            left = summary.left_line() if options.fix else None
            if left is not None:
                self.say(left)
            if summary.example or not silent:
                self.say(summary.found_line())
        for choice in options.consent.choices:
            self._explain_choice(choice)

    def _explain_choice(self, choice: Choice) -> None:
        """Warn of a choice that meant nothing."""
        offers = [(f, one) for f in self._chosen if f.rule == choice.rule for one in f.fixes]
        if not any(choice.fits(finding, one) for finding, one in offers):
            known = sorted({str(Choice.of(*offer)) for offer in offers})
            close = did_you_mean(str(choice), known) or f"; there are {', '.join(known)}"
            hint = close if known else f": {choice.rule} was not found"
            self.say(f"warning: --choose {choice}: no finding offers it{hint}")

    def _reports(self, paths: Iterable[str]) -> Iterator[FileReport]:
        """The reports of all files, each file once, as they are made."""
        seen: set[str] = set()
        for path in paths:
            if path == "-":
                yield from self._standard_input()
                continue
            empty = True
            for source in self.project.sources(path):
                empty = False
                real = os.path.realpath(source.path)
                if real not in seen:
                    seen.add(real)
                    yield from self._file(source)
            if empty and not self.trouble and os.path.isdir(path):
                self.say(f"warning: no files to check in {path}")

    def _file(self, source: Source) -> Iterator[FileReport]:
        try:
            data = source.path.read_bytes()
        except OSError as error:
            self.complain(f"{source.path}: {error.strerror}")
            return
        name = source.path.as_posix()
        fixed, report = self._check(name, data, source)
        if fixed.made and not self.options.diff:
            try:
                replace_file(source.path, fixed.data)
                report = self._lint(name, fixed.data, source)
                self.summary.add_fixes(fixed.made)
            except OSError as error:
                self.complain(f"{source.path}: cannot be written: {error.strerror}")
        yield self._counted(report, source)

    def _standard_input(self) -> Iterator[FileReport]:
        """Standard input as the file that ``--stdin-filename`` names, with its settings."""
        if sys.stdin is None:
            self.complain("there is no standard input")
            return
        data = sys.stdin.buffer.read()
        name = self.options.stdin_filename
        if name is not None:
            source = self.project.source(Path(name))
        else:
            settings = self.project.settings(Path())
            source = Source(Path("<stdin>"), "python", settings) if settings else None
        if source is not None:
            name = source.path.as_posix()
            fixed, report = self._check(name, data, source)
            if self.options.fix and not self.options.diff:
                data = fixed.data
                report = self._lint(name, data, source)
                self.summary.add_fixes(fixed.made)
            yield self._counted(report, source)
        if self.options.fix and not self.options.diff and sys.stdout is not None:
            sys.stdout.buffer.write(data)

    def _lint(self, name: str, data: bytes, source: Source) -> FileReport:
        settings = source.settings
        docs = settings.docs
        report = lint(
            name, data, source.kind, self._codes(source),
            target=settings.target_keras, modules=self._modules,
            reading=Reading(docs.languages, docs.shared_namespace == "page"),
        )  # fmt: skip
        return _of_kinds(report, settings.kinds)

    def _check(self, name: str, data: bytes, source: Source) -> tuple[Fixed, FileReport]:
        """What a file would become, and what is found in it as it is."""
        report = self._lint(name, data, source)
        consent = self.options.consent
        fixed = Fixed(data)
        self._note_choices(report)
        if not (self.options.fix or self.options.diff):
            return fixed, report
        if any(consent.pick(finding) for finding in report.findings):
            fixed = fix(data, consent, lambda new: self._lint(name, new, source))
        for trouble in fixed.troubles:
            self.say(f"warning: {name}: {trouble}")
        if self.options.diff and fixed.made:
            self.summary.add_fixes(fixed.made)
            for text in unified_diff(name, data, fixed.data):
                write_bytes(sys.stdout, text)
        return fixed, report

    def _note_choices(self, report: FileReport) -> None:
        consent = self.options.consent
        for finding in report.findings if consent.choices else ():
            self._chosen.append(finding)
            chosen = consent.chosen(finding)
            if len(chosen) > 1 and report.document is not None:
                number, _ = report.document.position(finding.span.start)
                known = ", ".join(str(Choice.of(finding, one)) for one in chosen)
                self.say(f"warning: {report.path}:{number}: --choose means several: {known}")

    def _codes(self, source: Source) -> frozenset[str]:
        """The rules to run and to report."""
        book, settings = load(), source.settings
        selected = book.select(settings.select) if settings.select else book.defaults()
        left_out = set(book.select(settings.ignore))
        for pattern, ignored in settings.per_file_ignores.items():
            if fits(source.path, pattern, settings):
                left_out |= book.select(ignored)
        if settings.docs.on_syntax_error == "ignore":
            left_out.add("LK801")
        return (selected | ALWAYS) - left_out

    def _counted(self, report: FileReport, source: Source) -> FileReport:
        """The report without the findings that are not wanted, which are told apart."""
        codes = self._codes(source)
        shown = tuple(f for f in report.findings if f.rule in codes)
        for finding in report.findings:
            self.trouble |= finding.rule == "LK002"
            hidden = finding not in shown or self.options.diff
            if hidden and finding.rule in ALWAYS and report.document is not None:
                self.say(f"warning: not checked: {line(report.document, finding)}")
        report = replace(report, findings=shown)
        self.summary.add(report)
        fail_on = source.settings.fail_on
        if fail_on != "never":
            worst = max(map(severity_of, shown), default=0)
            self.failed |= worst >= Severity[fail_on.upper()]
        return report


def _of_kinds(report: FileReport, kinds: Sequence[str]) -> FileReport:
    """What was found in the kinds of text that are wanted: code may be without its docstrings."""
    document = report.document
    if document is None or not report.findings or ("code" in kinds) == ("docstrings" in kinds):
        return report
    from lintkeras.documents.docstrings import docstrings

    spans = [
        Span(one.pieces[0].document, one.pieces[-1].end)
        for one in docstrings(document.text)
        if document.kind == "python" and one.pieces
    ]
    kept = tuple(
        found
        for found in report.findings
        if document.kind != "python"
        or found.rule in ALWAYS
        or any(span.start <= found.span.start < span.end for span in spans)
        == ("docstrings" in kinds)
    )
    return replace(report, findings=kept)
