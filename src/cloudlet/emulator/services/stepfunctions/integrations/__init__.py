"""What Task states call: other services under Step Functions' names, and what comes back in its form.

resources     the Resource of a Task: which service, which operation, which pattern
shapes        JSON of a definition <-> requests and results of the models
perform       carries a task out
functions     Lambda
nested        executions of other state machines
waiting       what `.sync` asks until a job is done
"""
