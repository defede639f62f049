"""What a state's fields come to: paths and templates in JSONPath, expressions in JSONata, with AWS's words for failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloudlet.emulator.services.stepfunctions.asl import intrinsics, jsonata_text, paths
from cloudlet.emulator.services.stepfunctions.asl.failures import (
    INTRINSIC,
    QUERY_EVALUATION,
    RESULT_PATH,
    RUNTIME,
    StateFailure,
)
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps

TYPES: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("null", lambda value: value is None),
    ("boolean", lambda value: isinstance(value, bool)),
    ("number", lambda value: isinstance(value, int | float)),
    ("string", lambda value: isinstance(value, str)),
    ("array", lambda value: isinstance(value, list)),
    ("object", lambda value: isinstance(value, dict)),
)


def type_name(value: Any) -> str:
    return next(name for name, fits in TYPES if fits(value))


class Evaluation:
    """One state being carried out: what its fields may refer to.

    `context` is the context object, `variables` all that are visible here, `entered_id` the id of the event with which
    the state was entered (None in TestState, whose messages name no state). `uuid` and `random` are the emulator's.
    """

    def __init__(
        self,
        name: str,
        entered_id: int | None,
        context: dict[str, Any],
        variables: Mapping[str, Any],
        now: float,
        uuid: Callable[[], str],
        random: Callable[[], float],
    ) -> None:
        self.name = name
        self.entered_id = entered_id
        self.context = context
        self.variables = variables
        self.now = now
        self.uuid = uuid
        self.random = random

    # --- failures

    def failure(self, message: str, error: str = RUNTIME, field: str | None = None) -> StateFailure:
        """A failure whose cause says in which state it happened."""
        if self.entered_id is None:
            return StateFailure(error, message, field)
        where = (
            f"An error occurred while executing the state '{self.name}' (entered at the event id #{self.entered_id}). "
        )
        return StateFailure(error, where + message, field)

    # --- JSONPath

    def whole_path(self, path: str | None, data: Any) -> Any:
        """`InputPath` or `OutputPath`: null stands for an empty object. Raises StateFailure."""
        if path is None:
            return {}
        if data is None and path != "$" and not path.startswith("$$"):
            raise self.failure("Unable to apply Path transformation to null or empty input.")
        try:
            return paths.resolve(path, data, self)
        except paths.NoMatch:
            raise self.failure(f"Invalid path '{path}' : {self._reason(path, data)}") from None
        except ValueError as error:
            raise self.failure(f"Invalid path '{path}' : {error}") from None

    def _reason(self, path: str, data: Any) -> str:
        """Why a definite path leads nowhere, as AWS's JSONPath library puts it."""
        if not paths.is_reference_path(path):
            return f"No results for path: {path}"
        parts = paths.parts_of(path)
        for count in range(1, len(parts)):
            head = "$" + "".join(f"[{part}]" if isinstance(part, int) else f"['{part}']" for part in parts[:count])
            try:
                paths.query(head, data)
            except paths.NoMatch:
                return f"Missing property in path {head}"
        return f"No results for path: {paths.bracketed(path)}"

    def named_path(self, field: str, path: str, data: Any) -> Any:
        """A path in a field such as `TimeoutSecondsPath`. Raises StateFailure."""
        if intrinsics.is_intrinsic(path):
            return self.intrinsic(field, path, data)
        try:
            return paths.resolve(path, data, self)
        except (paths.NoMatch, ValueError):
            found = data
            if path.startswith("$$"):
                found = self.context
            raise self.failure(
                f"The JSONPath '{path}' specified for the field '{field}' could not be found in the input "
                f"'{dumps(found)}'"
            ) from None

    def intrinsic(self, field: str, text: str, data: Any) -> Any:
        sources = intrinsics.Sources(lambda path: self.named_path(field, path, data), self.uuid, self.random)
        try:
            return intrinsics.evaluate(text, sources)
        except intrinsics.SyntaxProblem:
            raise self.failure(f"The function '{text}' had the following error: invalid syntax", INTRINSIC) from None
        except StateFailure as error:
            if error.error != INTRINSIC:
                raise
            raise self.failure(f"The function '{text}' had the following error: {error.cause}", INTRINSIC) from None

    def template(self, template: Any, data: Any) -> Any:
        """A payload template: members whose name ends in `.$` are paths or intrinsic functions. Raises StateFailure."""
        if isinstance(template, dict):
            found = {}
            for key, value in template.items():
                if key.endswith(".$"):
                    found[key[:-2]] = self._reference(key, value, data)
                else:
                    found[key] = self.template(value, data)
            return found
        if isinstance(template, list):
            return [self.template(item, data) for item in template]
        return template

    def _reference(self, key: str, text: str, data: Any) -> Any:
        if intrinsics.is_intrinsic(text):
            return self.intrinsic(key, text.strip(), data)
        return self.named_path(key, text, data)

    def put_result(self, data: Any, path: str | None, result: Any) -> Any:
        """`ResultPath`: null drops the result. Raises StateFailure."""
        if path is None:
            return data
        try:
            return paths.put(data, path, result)
        except paths.NoMatch:
            raise self.failure(f"Unable to apply ReferencePath {path} to input {dumps(data)}", RESULT_PATH) from None

    # --- JSONata

    def expressions(self, field: str, value: Any, states: dict[str, Any]) -> Any:
        """A JSONata field: every text in `{% … %}` in it is evaluated. Raises StateFailure."""
        if isinstance(value, dict):
            return {key: self.expressions(f"{field}/{key}", item, states) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expressions(f"{field}[{at}]", item, states) for at, item in enumerate(value)]
        if jsonata_text.is_expression(value):
            return self.expression(field, value, states)
        return value

    def expression(self, field: str, text: str, states: dict[str, Any]) -> Any:
        inner = jsonata_text.inner(text)
        bindings = {**self.variables, "states": {**states, "context": self.context}}
        sources = jsonata_text.Sources(self.now, self.uuid, self.random)
        where = f"The JSONata expression '{inner}' specified for the field '{field}'"
        try:
            return jsonata_text.evaluate(inner, bindings, sources)
        except jsonata_text.Undefined:
            raise self.failure(f"{where} returned nothing (undefined).", QUERY_EVALUATION, field) from None
        except jsonata_text.Broken as error:
            reason = str(error)
            if reason == jsonata_text.UNSUPPORTED:
                raise self.failure(f"{where} {reason}", QUERY_EVALUATION, field) from None
            raise self.failure(f"{where} threw an error during evaluation. {reason}", QUERY_EVALUATION, field) from None

    def number(self, state: Mapping[str, Any], field: str, jsonata: bool, data: Any) -> Any:
        """A field that has to be a number: as it stands there, behind its path or from its expression.

        What is not from an expression may be anything; None where there is no such field. Raises StateFailure.
        """
        if f"{field}Path" in state:
            return self.named_path(f"{field}Path", state[f"{field}Path"], data)
        value = state.get(field)
        if jsonata and isinstance(value, str):
            return self.typed(field, value, "number", {"input": data})
        return value

    def typed(self, field: str, value: Any, wanted: str, states: dict[str, Any]) -> Any:
        """A JSONata field that has to be of one type. Raises StateFailure."""
        found = self.expressions(field, value, states)
        if type_name(found) != wanted:
            text = jsonata_text.inner(value) if isinstance(value, str) else dumps(value)
            raise self.failure(
                f"The JSONata expression '{text}' specified for the field '{field}' returned an unexpected result type. "
                f"Expected '{wanted}', but was '{type_name(found)}' for value: {dumps(found)}",
                QUERY_EVALUATION,
                field,
            )
        return found
