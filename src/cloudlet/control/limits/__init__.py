"""Rate limits and idempotency keys."""
