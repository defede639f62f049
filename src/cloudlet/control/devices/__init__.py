"""Signing in from a command line: device requests and the tokens that come of them."""
