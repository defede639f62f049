"""Cloudlet: a self-hosted AWS emulator with its own licensing platform."""

__version__ = "0.1.0"
