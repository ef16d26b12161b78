"""Download and unpack the pinned packages: ``python tests/corpus/unpack.py FOLDER``.

Only their Python files are kept. Nothing of them is built, imported or run.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGES = Path(__file__).with_name("packages.txt")
_PYTHONS = ("3.11", "3.8")
"""For which Python a wheel is asked for, one after the other; then the sources."""


def pinned() -> list[tuple[str, str]]:
    """The names and versions of the packages."""
    pairs = [line.split("==") for line in PACKAGES.read_text().split()]
    return [(name, version) for name, version in pairs]


def download(requirement: str, folder: Path) -> Path:
    """The archive of a package."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    attempts = [["--only-binary=:all:", "--python-version", version] for version in _PYTHONS]
    for attempt in [*attempts, ["--no-binary=:all:", "--no-build-isolation"]]:
        subprocess.run([*command, *attempt, requirement], check=False, stderr=subprocess.DEVNULL)
        for archive in folder.iterdir():  # pip leaves sources that it cannot build
            return archive
    raise SystemExit(f"cannot download {requirement}")


def sources(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The Python files of a wheel or of a source archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if name.endswith(".py"):
                    yield name, wheel.read(name)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None and member.name.endswith(".py"):
                yield member.name.partition("/")[2], content.read()


def main(folder: Path) -> None:
    """Unpack every package that is not there yet into ``FOLDER/name-version``."""
    for name, version in pinned():
        target = folder / f"{name}-{version}"
        if target.exists():
            continue
        with tempfile.TemporaryDirectory() as temporary:
            for path, content in sources(download(f"{name}=={version}", Path(temporary))):
                file = target / path
                if target.resolve() in file.resolve().parents:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
