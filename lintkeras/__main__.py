"""``python -m lintkeras``."""

from lintkeras.cli import main

main()
