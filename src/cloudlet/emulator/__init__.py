"""The emulator: an AWS endpoint that real clients cannot tell from AWS."""
