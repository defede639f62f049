"""What EventBridge, Scheduler, Pipes and Lambda share: schedules, patterns, inputs, targets, dead letters, sources.

    expressions   rate(…), cron(…), at(…) and when they come due
    cron          AWS's cron fields
    patterns      does an event match a pattern; pattern_checks, tokens: is it one, in AWS's words
    inputs        InputPath and InputTransformer
    targets       an ARN and a text → the operation that delivers it
    deliveries    carrying one out, trying again, dead letters
    streams       reading the shards of DynamoDB's and Kinesis's streams
    queues        reading queues

Services may not import each other; what two of them need lies here. Nothing here knows a service's records.
"""
