"""lintkeras: a static analyzer and documentation linter for Keras and TensorFlow code."""

__version__ = "0.1.0"
