"""Endpoints about the emulator itself: LocalStack's under `/_localstack/`, ours under `/_cloudlet/`."""
