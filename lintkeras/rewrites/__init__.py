"""Building blocks of fixes."""
