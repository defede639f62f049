"""What EventBridge, Scheduler and Pipes share: schedules, event patterns, inputs, targets and dead letters.

    expressions   rate(…), cron(…), at(…) and when they come due
    cron          AWS's cron fields
    patterns      does an event match a pattern; pattern_checks, tokens: is it one, in AWS's words
    inputs        InputPath and InputTransformer
    targets       an ARN and a text → the operation that delivers it
    deliveries    carrying one out, trying again, dead letters
    streams       reading the shards of DynamoDB's and Kinesis's streams, also for functions
    queues        reading queues, also for functions

Services may not import each other; what two of them need lies here. Nothing here knows a service's records.
"""
