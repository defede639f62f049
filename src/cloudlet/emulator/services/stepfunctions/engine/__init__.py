"""Carries out executions: durable frames, advanced in short transactions by requests and jobs.

frames        where one thread of an execution stands
run           one execution inside one transaction: its frames, events and what is still to be done
advance       the loop: takes what is to be done and calls steps, tasks, groups, failing, endings
steps         entering, carrying out and leaving states
tasks         Task states: what is asked for, and what came of it
groups        Parallel and inline Map: their parts
map_runs      distributed Map: child executions
failing       Retry, Catch, and failures that nobody catches
endings       the end of an execution, and who is told of it
starting      its beginning; redriving: beginning again where it failed
reports       what EventBridge and CloudWatch Logs are told
details       members that events of the history share
jobs          timers, integrations, and everything else that runs later
"""
