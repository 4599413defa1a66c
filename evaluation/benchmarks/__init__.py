"""Measurements against the peers that are installed; `manage.py benchmark` runs them."""
