"""The house rules, one file each; `tools/check_layout.py` runs them all."""
