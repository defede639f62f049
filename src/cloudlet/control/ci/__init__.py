"""CI keys, the credits of a period, and what was charged."""
