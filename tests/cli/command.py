"""The command in a process of its own, and programs to run it on."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

STEP = """import tensorflow as tf

dense = tf.keras.layers.Dense(1)
optimizer = tf.keras.optimizers.Adam()


def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(dense(x))
    grads = tape.gradient(loss, dense.trainable_variables)
    grads = [g * 2 for g in grads]{comment}
    optimizer.apply_gradients(zip(grads, dense.trainable_variables))
"""
"""LK103 in line 11, column 13, with an unsafe fix that removes the line."""

REUSE = """import tensorflow as tf
x = tf.Variable(1.0)
with tf.GradientTape() as tape:
    y = x * x
a = tape.gradient(y, x)
b = tape.gradient(y, x)  # kept
"""
"""LK110 in line 6, with a safe fix."""
REUSE_FIXED = REUSE.replace("Tape()", "Tape(persistent=True)")


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str
    raw: bytes


def run(
    *arguments: str | os.PathLike[str], cwd: Path, text: bytes = b"", **environment: str
) -> Done:
    """Run ``lintkeras`` with arguments; no traceback ever reaches its output."""
    done = subprocess.run(
        [sys.executable, "-m", "lintkeras", *arguments],
        cwd=cwd, input=text, capture_output=True, check=False, timeout=500,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment},
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return Done(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode(), done.stdout
    )


def check(*arguments: str | os.PathLike[str], cwd: Path, text: bytes = b"") -> Done:
    """Run ``lintkeras check`` for one line a finding."""
    return run("check", "--output-format", "concise", *arguments, cwd=cwd, text=text)
