"""Recursive descent over the words of a statement.

    statement = "SELECT" ("*" | path ("," path)*) "FROM" table ["." index] ["WHERE" condition] ["ORDER" "BY" key]
              | "INSERT" "INTO" table "VALUE" map
              | "UPDATE" table ("SET" path "=" sum | "REMOVE" path)+ "WHERE" condition ["RETURNING" …]
              | "DELETE" "FROM" table "WHERE" condition ["RETURNING" …]
              | "EXISTS" "(" select ")"
    condition, negation, comparison as in `expressions.parser`, with IS [NOT] MISSING and IS [NOT] NULL
    value     = text | number | TRUE | FALSE | NULL | "[" values "]" | "<<" values ">>" | "{" text ":" value … "}" | "?"

Literals and parameters are kept under references like those of expressions (`:0`, `:1`, …).
"""

from __future__ import annotations

from typing import Any, Final

from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expressions.nodes import (
    And,
    Arithmetic,
    Assignment,
    Between,
    Comparison,
    Function,
    In,
    Literal,
    Node,
    Not,
    Or,
    Path,
    UpdateNodes,
)
from cloudlet.emulator.services.dynamodb.numbers import canonical_number
from cloudlet.emulator.services.dynamodb.partiql.lexer import MAX_STATEMENT, Word, malformed, split
from cloudlet.emulator.services.dynamodb.partiql.nodes import Change, Delete, Exists, Insert, Select, Statement
from cloudlet.emulator.services.dynamodb.values import Value, measure_value

COMPARISONS: Final = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})
CONDITION_FUNCTIONS: Final = frozenset(
    {"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"}
)
MAX_DEPTH: Final = 60
WHOLE: Final = ("ALL", "MODIFIED")


class Parser:
    """Parses one statement; `parameters` stand for its question marks."""

    def __init__(self, statement: str, parameters: list[Value] | None) -> None:
        if len(statement) > MAX_STATEMENT:
            raise ValidationException("Statement size has exceeded the maximum allowed size")
        self.words = split(statement)
        self.place = 0
        self.depth = 0
        self.parameters = parameters or []
        for parameter in self.parameters:
            measure_value(parameter)
        self.next_parameter = 0
        self.values: dict[str, Value] = {}

    # --- words

    @property
    def word(self) -> Word:
        return self.words[self.place]

    def take(self, *names: str) -> bool:
        """Step over these keywords or symbols, if they are next."""
        for offset, name in enumerate(names):
            word = self.words[min(self.place + offset, len(self.words) - 1)]
            if word.kind not in ("name", "symbol") or word.text.upper() != name:
                return False
        self.place += len(names)
        return True

    def expect(self, *names: str) -> None:
        for name in names:
            if not self.take(name):
                raise malformed(f"Expected {name}, got {self.word.text or 'the end of the statement'}")

    def identifier(self) -> str:
        word = self.word
        if word.kind not in ("name", "quoted"):
            raise malformed("Expected identifier")
        self.place += 1
        return word.text

    # --- statements

    def statement(self) -> Statement:
        found = self.one_statement()
        self.take(";")
        if self.word.kind != "end":
            raise malformed(f"Unexpected {self.word.text}")
        if self.next_parameter != len(self.parameters):
            raise ValidationException("Number of parameters in request and statement don't match.")
        return found

    def one_statement(self) -> Statement:
        if self.take("SELECT"):
            return self.select()
        if self.take("INSERT", "INTO"):
            return self.insert()
        if self.take("UPDATE"):
            return self.update()
        if self.take("DELETE", "FROM"):
            return self.delete()
        if self.take("EXISTS"):
            self.expect("(", "SELECT")
            select = self.select()
            self.expect(")")
            return Exists(select)
        raise malformed("Expected SELECT, INSERT, UPDATE or DELETE")

    def select(self) -> Select:
        paths: list[Path] | None = None
        if not self.take("*"):
            paths = [self.path()]
            while self.take(","):
                paths.append(self.path())
        self.expect("FROM")
        table = self.identifier()
        index = self.identifier() if self.take(".") else None
        where = self.condition() if self.take("WHERE") else None
        order = None
        if self.take("ORDER", "BY"):
            attribute = self.identifier()
            descending = self.take("DESC")
            if not descending:
                self.take("ASC")
            order = (attribute, descending)
        return Select(table, index, None if paths is None else tuple(paths), where, order, self.values)

    def insert(self) -> Insert:
        table = self.identifier()
        self.expect("VALUE")
        item = self.value()
        if "M" not in item:
            raise malformed("Expected a tuple to insert")
        quiet = self.take("ON", "CONFLICT", "DO", "NOTHING")
        return Insert(table, item["M"], quiet)

    def update(self) -> Change:
        table = self.identifier()
        assignments: list[Assignment] = []
        removals: list[Path] = []
        sets: dict[str, list[tuple[Path, Literal]]] = {"set_add": [], "set_delete": []}
        while True:
            if self.take("SET"):
                self.assignment(assignments, sets)
                while self.take(","):
                    self.assignment(assignments, sets)
            elif self.take("REMOVE"):
                removals.append(self.path())
                while self.take(","):
                    removals.append(self.path())
            else:
                break
        if not assignments and not removals and not any(sets.values()):
            raise malformed("Expected SET or REMOVE")
        self.expect("WHERE")
        where = self.condition()
        nodes = UpdateNodes(tuple(assignments), tuple(removals), tuple(sets["set_add"]), tuple(sets["set_delete"]))
        return Change(table, nodes, where, self.returning(), self.values)

    def assignment(self, assignments: list[Assignment], sets: dict[str, list[tuple[Path, Literal]]]) -> None:
        path = self.path()
        self.expect("=")
        value = self.sum()
        if isinstance(value, Function) and value.name in sets:
            if len(value.arguments) != 2 or value.arguments[0] != path or not isinstance(value.arguments[1], Literal):
                raise malformed(f"{value.name} takes the path that is set, and a set")
            sets[value.name].append((path, value.arguments[1]))
        else:
            assignments.append(Assignment(path, value))

    def delete(self) -> Delete:
        table = self.identifier()
        self.expect("WHERE")
        where = self.condition()
        returning = self.returning()
        if returning not in ("", "ALL_OLD"):
            raise malformed("Only RETURNING ALL OLD * is supported with DELETE")
        return Delete(table, where, returning, self.values)

    def returning(self) -> str:
        if not self.take("RETURNING"):
            return ""
        scope = next((word for word in WHOLE if self.take(word)), None)
        moment = next((word for word in ("OLD", "NEW") if self.take(word)), None)
        if scope is None or moment is None:
            raise malformed("Expected ALL or MODIFIED, and OLD or NEW, after RETURNING")
        self.expect("*")
        return f"{'ALL' if scope == 'ALL' else 'UPDATED'}_{moment}"

    # --- conditions

    def condition(self) -> Node:
        members = [self.conjunction()]
        while self.take("OR"):
            members.append(self.conjunction())
        return members[0] if len(members) == 1 else Or(tuple(members))

    def conjunction(self) -> Node:
        members = [self.negation()]
        while self.take("AND"):
            members.append(self.negation())
        return members[0] if len(members) == 1 else And(tuple(members))

    def negation(self) -> Node:
        self.enter()
        try:
            if self.take("NOT"):
                return Not(self.negation())
            if self.take("("):
                inner = self.condition()
                self.expect(")")
                return inner
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Node:
        left = self.operand()
        if isinstance(left, Function) and left.name in CONDITION_FUNCTIONS - {"size"}:
            return left
        self.refuse_function(left)
        word = self.word
        if word.kind == "symbol" and word.text in COMPARISONS:
            self.place += 1
            right = self.plain_operand()
            if word.text in ("<>", "!="):
                return self.different(left, right)
            return Comparison(word.text, left, right)
        if self.take("BETWEEN"):
            low = self.plain_operand()
            self.expect("AND")
            return Between(left, low, self.plain_operand())
        if self.take("IN"):
            return In(left, self.choices())
        if self.take("IS"):
            return self.is_what(left)
        raise malformed("Expected a condition")

    @staticmethod
    def different(left: Node, right: Node) -> Node:
        """Unlike in DynamoDB's expressions, a missing attribute is different from nothing."""
        there = [Function("attribute_exists", (side,)) for side in (left, right) if isinstance(side, Path)]
        return And((*there, Comparison("<>", left, right)))

    def is_what(self, left: Node) -> Node:
        negated = self.take("NOT")
        if self.take("MISSING"):
            test: Node = Function("attribute_not_exists", (left,))
        elif self.take("NULL"):
            test = Function("attribute_type", (left, self.literal({"S": "NULL"})))
        else:
            raise malformed("Expected MISSING or NULL")
        return Not(test) if negated else test

    def choices(self) -> tuple[Node, ...]:
        closing = "]" if self.take("[") else ")"
        if closing == ")":
            self.expect("(")
        choices = [self.plain_operand()]
        while self.take(","):
            choices.append(self.plain_operand())
        self.expect(closing)
        return tuple(choices)

    def plain_operand(self) -> Node:
        """An operand of a condition."""
        node = self.operand()
        self.refuse_function(node)
        return node

    @staticmethod
    def refuse_function(node: Node) -> None:
        if isinstance(node, Function) and node.name != "size":
            raise malformed(f"Unexpected function {node.name}")

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise malformed("The statement is nested too deeply")

    # --- operands

    def sum(self) -> Node:
        left = self.operand()
        for operator in ("+", "-"):
            if self.take(operator):
                return Arithmetic(operator, left, self.operand())
        return left

    def operand(self) -> Node:
        word = self.word
        following = self.words[min(self.place + 1, len(self.words) - 1)]
        if word.kind == "name" and following == Word("symbol", "("):
            return self.function()
        if word.kind == "quoted" or (word.kind == "name" and word.text.upper() not in ("TRUE", "FALSE", "NULL")):
            return self.path()
        return self.literal(self.value())

    def function(self) -> Function:
        name = self.identifier().lower()
        self.expect("(")
        self.enter()
        arguments = [self.operand()]
        while self.take(","):
            arguments.append(self.operand())
        self.depth -= 1
        self.expect(")")
        if name in CONDITION_FUNCTIONS and len(arguments) != (1 if name in ("size",) or "exists" in name else 2):
            raise malformed(f"Wrong number of arguments for {name}")
        if name == "attribute_type":
            kind = arguments[1]
            if not isinstance(kind, Literal) or "S" not in self.values[kind.reference]:
                raise malformed("attribute_type takes the name of a type")
        return Function(name, tuple(arguments))

    def path(self) -> Path:
        steps: list[str | int] = [self.identifier()]
        while True:
            if self.take("."):
                steps.append(self.identifier())
            elif self.take("["):
                word = self.word
                self.place += 1
                if word.kind == "text":
                    steps.append(word.text)
                elif word.kind == "number" and word.text.isdigit() and len(word.text) < 10:
                    steps.append(int(word.text))
                else:
                    raise malformed("Expected an index")
                self.expect("]")
            else:
                return Path(tuple(steps))

    def literal(self, value: Value) -> Literal:
        reference = f":{len(self.values)}"
        self.values[reference] = value
        return Literal(reference)

    def value(self) -> Value:
        """A literal or parameter, in the stored shape."""
        self.enter()
        try:
            found = self.one_value()
        finally:
            self.depth -= 1
        return found

    def one_value(self) -> Value:
        word = self.word
        self.place += 1
        if word.kind == "text":
            return {"S": word.text}
        if word.kind == "number":
            return {"N": canonical_number(word.text)}
        if word.kind == "name" and word.text.upper() in ("TRUE", "FALSE"):
            return {"BOOL": word.text.upper() == "TRUE"}
        if word.kind == "name" and word.text.upper() == "NULL":
            return {"NULL": True}
        if word.kind == "symbol":
            if word.text == "-" and self.word.kind == "number":
                self.place += 1
                return {"N": canonical_number("-" + self.words[self.place - 1].text)}
            if word.text == "?":
                return self.parameter()
            if word.text == "[":
                return {"L": self.members("]")}
            if word.text == "<<":
                return self.set_of(self.members(">>"))
            if word.text == "{":
                return {"M": self.map_members()}
        raise malformed(f"Unexpected {word.text or 'end of the statement'}")

    def parameter(self) -> Value:
        if self.next_parameter >= len(self.parameters):
            raise ValidationException("Number of parameters in request and statement don't match.")
        self.next_parameter += 1
        return self.parameters[self.next_parameter - 1]

    def members(self, closing: str) -> list[Value]:
        found: list[Value] = []
        if self.take(closing):
            return found
        found.append(self.value())
        while self.take(","):
            found.append(self.value())
        self.expect(closing)
        return found

    @staticmethod
    def set_of(members: list[Value]) -> Value:
        kinds = {next(iter(member)) for member in members}
        if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
            raise ValidationException("Sets must hold members of one type: texts, numbers or binaries")
        kind = kinds.pop()
        value: Value = {kind + "S": [member[kind] for member in members]}
        measure_value(value)
        return value

    def map_members(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.take("}"):
            return found
        while True:
            word = self.word
            if word.kind not in ("text", "quoted"):
                raise malformed("Expected a name in quotes")
            self.place += 1
            self.expect(":")
            found[word.text] = self.value()
            if not self.take(","):
                break
        self.expect("}")
        return found


def parse(statement: str, parameters: list[Value] | None) -> Statement:
    """The statement with its parameters. Raises ValidationException."""
    return Parser(statement, parameters).statement()
