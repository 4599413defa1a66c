"""Measures of Quarry against other programs."""
