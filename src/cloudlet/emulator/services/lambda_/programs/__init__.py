"""The programs inside which functions run: `run.py FD`, `run.mjs FD`. They import nothing of Cloudlet.

Standard input: one line of JSON to set up, {"handler", "folder", "paths", "context", …}; then one for each invocation,
{"request_id", "event", "limit_seconds", "arn", …}. To the file descriptor FD: one line when set up, `READY`; then one
for each invocation, `P <memory in KB> <the function's answer, JSON>` or `E <memory in KB> <error, JSON>`.
A line that is printed may hold \\x1e for a line break inside of one log event.
"""
