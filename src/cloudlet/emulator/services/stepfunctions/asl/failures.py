"""How a state fails: an error name that `Retry` and `Catch` match, and a cause for people."""

from __future__ import annotations

ALL = "States.ALL"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
TASK_FAILED = "States.TaskFailed"
RUNTIME = "States.Runtime"
DATA_LIMIT = "States.DataLimitExceeded"
NO_CHOICE = "States.NoChoiceMatched"
INTRINSIC = "States.IntrinsicFailure"
RESULT_PATH = "States.ResultPathMatchFailure"
QUERY_EVALUATION = "States.QueryEvaluationError"
TOO_MANY_FAILED = "States.ExceedToleratedFailureThreshold"
ITEM_READER = "States.ItemReaderFailed"
RESULT_WRITER = "States.ResultWriterFailed"
UNRETRIABLE = frozenset({RUNTIME, DATA_LIMIT})  # States.ALL does not match them ("Error handling in Step Functions")


class StateFailure(Exception):
    """Raised while a state is carried out. `cause` is None where AWS shows none.

    `field` is the JSONata field that could not be evaluated; the history then has an EvaluationFailed event (empty: one
    that names no field). `blank`: what catches it sees members that are not there as null.
    """

    def __init__(self, error: str | None, cause: str | None, field: str | None = None, *, blank: bool = False) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.field = field
        self.blank = blank


def matches(names: list[str], error: str | None) -> bool:
    """Whether `ErrorEquals` names this error."""
    for name in names:
        if name == error:
            return True
        if name == ALL and error not in UNRETRIABLE:
            return True
        if name == TASK_FAILED and error not in (TIMEOUT, *UNRETRIABLE):
            return True
        if name == TIMEOUT and error == HEARTBEAT_TIMEOUT:
            return True
    return False
