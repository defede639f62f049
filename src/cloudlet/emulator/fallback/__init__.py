"""The services that nobody has written natively yet, answered by moto in this process.

gateway ─ service.Fallback      which operations it has, threads, locks, state; imports nothing of moto
          ├─ coverage.py        what moto has, from a generated file
          ├─ state.py           saving to and loading from the volume
          └─ moto.py            the only file that imports moto; loaded at the first request that needs it
             ├─ native.py       what moto's code gets in place of moto's own S3, SQS, SNS, DynamoDB and STS
             ├─ resources.py    CloudFormation's resources of those services
             └─ targets.py      EventBridge's targets
"""
