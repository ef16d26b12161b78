"""Makes the API data out of released wheels: ``python -m lintkeras.keras_api.build CACHE``.

The wheels are downloaded by pip into the folder CACHE (several gigabytes, since TensorFlow's are
large) and read there; nothing of them is imported. The result, ``data/*.api`` beside this file, is
the same on every machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lintkeras.keras_api import published, version_1
from lintkeras.keras_api.definitions import PACKAGES
from lintkeras.keras_api.extract import Entry, Tree, public
from lintkeras.keras_api.looked_up import looked_up

DATA = Path(__file__).parent / "data"
_PYTHONS = ("3.11", "3.9", "3.7", "3.12")
_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux2010_x86_64",
              "manylinux_2_27_x86_64", "manylinux_2_28_x86_64")  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A namespace of one release: the package, its version, and where its public API begins.

    ``roots`` are tried in order; ``internal`` are modules whose content is no public API.
    """

    space: str
    package: str
    version: str
    roots: tuple[str, ...]
    internal: tuple[str, ...] = ()
    shown: str | None = None
    generated: bool = True
    """Whether the root is a package that only lists the API, not the sources themselves."""
    """The version under which it is known in its space, where that is another one."""

    @property
    def code(self) -> str:
        """The package that holds the sources of Keras; empty where there are none."""
        inside = {"tf.keras": "tensorflow.python.keras", "tf": ""}
        return inside[self.space] if self.package == "tensorflow" else self.roots[0].split(".")[0]

    @property
    def label(self) -> str:
        """The version as the data file names it."""
        return self.shown or self.version


_KERAS_1_2: tuple[str, ...] = ("1.2.2", "2.0.9", "2.1.6", "2.2.5", "2.3.1")
_KERAS_SPLIT: tuple[str, ...] = ("2.6.0", "2.7.0", "2.8.0", "2.9.0", "2.10.0", "2.11.0", "2.12.0")
_KERAS_GENERATED: tuple[str, ...] = ("2.13.1", "2.14.0", "2.15.0")
_KERAS_3 = ("3.0.5", "3.1.1", "3.2.1", "3.3.3", "3.4.1", "3.5.0", "3.6.0", "3.7.0", "3.8.0",
            "3.9.2", "3.10.0", "3.11.3", "3.12.4", "3.13.2", "3.14.1", "3.15.1")  # fmt: skip
_TF_KERAS = ("2.15.1", "2.16.0", "2.17.0", "2.18.0", "2.19.0", "2.20.1", "2.21.0")
_TENSORFLOW = ("2.3.4", "2.8.4", "2.15.1", "2.21.0")


def sources() -> Iterator[Source]:
    """Every namespace that is read, oldest first within its space."""
    roots: tuple[str, ...]
    internal: tuple[str, ...]
    for version in _KERAS_1_2:
        yield Source("keras", "keras", version, ("keras",), generated=False)
    inner = ("keras.api", "keras.integration_test", "keras.tests", "keras.benchmarks",
             "keras.tools", "keras.protobuf", "keras.testing_infra")  # fmt: skip
    for version in _KERAS_SPLIT:
        yield Source("keras", "keras", version, ("keras",), inner, generated=False)
    for version in _KERAS_GENERATED:
        yield Source("keras", "keras", version, ("keras",), ("keras.src", "keras.api"))
    for version in _KERAS_3:
        roots = ("keras.api", "keras")
        internal = ("keras.src", "keras._tf_keras", "keras.api._tf_keras")
        yield Source("keras", "keras", version, roots, internal)
    for version, shown in (("2.3.4", "2.3"), ("2.4.4", "2.4"), ("2.5.3", "2.5")):
        yield Source("tf.keras", "tensorflow", version, ("tensorflow.keras",), (), shown)
    for version in (*_KERAS_SPLIT, *_KERAS_GENERATED):
        yield Source("tf.keras", "keras", version, ("keras.api._v2.keras",), ("keras.src",))
    for version in _KERAS_3:
        roots = ("keras._tf_keras.keras", "keras.api._tf_keras.keras", "keras._tf_keras")
        yield Source("tf.keras", "keras", version, roots, ("keras.src",))
    for version in _TF_KERAS:
        yield Source(
            "tf_keras", "tf-keras", version, ("tf_keras",), ("tf_keras.src", "tf_keras.api")
        )
    for version in _TENSORFLOW:
        internal = ("tensorflow.python", "tensorflow.core", "tensorflow.compiler",
                    "tensorflow._api.v2.compat", "tensorflow._api.v2.raw_ops",
                    "tensorflow._api.v2.keras", "tensorflow.keras")  # fmt: skip
        roots = ("tensorflow._api.v2.v2", "tensorflow._api.v2")
        yield Source("tf", "tensorflow", version, roots, internal)


def main(cache: Path) -> None:
    """Download, read, write."""
    spaces: dict[str, dict[str, dict[str, Entry]]] = {}
    strings: dict[str, dict[str, dict[str, Entry]]] = {}
    trees: dict[Path, Tree] = {}
    for source in sources():
        archive = _download(source.package, source.version, cache)
        tree = trees.get(archive)
        if tree is None:
            trees.clear()  # one at a time: a TensorFlow release is large
            tree = trees[archive] = Tree(archive)
        root = next(r for r in source.roots if tree.file_of(r))
        found = public(tree, root, source.space, source.internal, aliases=source.generated)
        spaces.setdefault(source.space, {})[source.label] = found.entries
        if source.code:
            strings.setdefault(source.space, {})[source.label] = looked_up(tree, source.code)
        print(f"{source.space} {source.label}: {len(found.entries)} symbols", flush=True)
    DATA.mkdir(exist_ok=True)
    for space, releases in spaces.items():
        text = render(releases)
        (DATA / f"{space}.api").write_text(text, encoding="utf-8")
        print(f"{space}: {len(text)} characters")
    for space, releases in strings.items():
        (DATA / f"{space}.strings").write_text(render(releases), encoding="utf-8")
    newest = {source.space: source for source in sources()}
    tensorflow = Tree(_download("tensorflow", newest["tf"].version, cache))
    (DATA / "tf.v1").write_text(version_1.render(tensorflow), encoding="utf-8")
    for name in PACKAGES:
        source = newest[name]
        tree = Tree(_download(source.package, source.version, cache))
        text = published.render(tree, name)
        (DATA / f"{name}.definitions").write_text(text, encoding="utf-8")


def _download(package: str, version: str, cache: Path) -> Path:
    """The release's wheel, else its sdist."""
    folder = cache / f"{package}-{version}"
    done = [p for p in folder.glob("*") if p.suffix in (".whl", ".gz", ".zip")]
    if done:
        return done[0]
    name = f"{package}-cpu" if package == "tensorflow" else package
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    attempts = [
        [
            f"--python-version={python}",
            "--only-binary=:all:",
            *(f"--platform={p}" for p in platforms),
        ]
        for platforms in ((), _PLATFORMS)
        for python in _PYTHONS
    ]
    for options in (*attempts, ["--no-binary=:all:", "--no-build-isolation"]):
        with tempfile.TemporaryDirectory() as scratch:
            done_ = subprocess.run(
                [*pip, *options, "-d", scratch, f"{name}=={version}"],
                capture_output=True, check=False,
            )  # fmt: skip
            files = list(Path(scratch).iterdir())
            if done_.returncode == 0 and files:
                target = folder / files[0].name
                target.write_bytes(files[0].read_bytes())
                return target
    raise SystemExit(f"{name} {version} cannot be downloaded")


def render(releases: dict[str, dict[str, Entry]]) -> str:
    """The data file of one space.

    First line: the versions, oldest first. Then a line for each path, sorted: the path, a tab,
    and for each release in which the symbol changed ``index:payload`` (``-`` where it is gone).
    Then an empty line, and the payloads, one a line.
    """
    versions = list(releases)
    payloads: dict[str, int] = {}
    lines = []
    for path in sorted({path for entries in releases.values() for path in entries}):
        runs: list[str] = []
        last: str | None = None
        for index, version in enumerate(versions):
            entry = releases[version].get(path)
            now = entry.line() if entry is not None else None
            if now != last:
                number = "-" if now is None else str(payloads.setdefault(now, len(payloads)))
                runs.append(f"{index}:{number}")
                last = now
        lines.append(f"{path}\t{' '.join(runs)}")
    return "\n".join([" ".join(versions), *lines, "", *payloads]) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
