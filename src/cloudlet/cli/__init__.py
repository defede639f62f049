"""The command `cloudlet` (and `localstack`, the same program): one file a command group."""
