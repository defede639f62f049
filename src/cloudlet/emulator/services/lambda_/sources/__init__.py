"""Event sources: what reads queues and streams, and calls functions with what it finds.

watching     one task for each mapping that is enabled; begun with the service, or at start where there are mappings
queues       SQS: batches, windows, partial failures
streams      DynamoDB Streams and Kinesis: shards, positions, retries, bisecting, records that are given up
batches      what both share: filters, the call of the function, which items failed
"""
