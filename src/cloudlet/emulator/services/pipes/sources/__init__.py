"""What pipes read: queues, and the shards of streams."""
