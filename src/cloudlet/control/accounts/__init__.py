"""Accounts: users, their passwords, sessions and one-time links."""
