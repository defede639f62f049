"""Mail to people: an outbox in the database, sent by whichever process holds the lease."""
