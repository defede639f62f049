"""The license API that emulators and command lines speak, and what they activated."""
