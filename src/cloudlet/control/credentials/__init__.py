"""Auth tokens, CI keys and API keys: made, shown, reset, looked up."""
