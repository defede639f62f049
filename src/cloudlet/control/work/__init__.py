"""What the control plane does without being asked: mail, webhooks, expiry."""
