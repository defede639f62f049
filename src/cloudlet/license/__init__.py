"""What the emulator and the control plane share: token format, license document, signatures, reasons, HTTP client.

Importing this package loads nothing heavy; `cryptography` is imported by `envelope` alone.
"""
