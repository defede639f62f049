"""Recursive descent over the tokens: the grammars of conditions, updates and projections.

    condition   = conjunction ("OR" conjunction)*
    conjunction = negation ("AND" negation)*
    negation    = "NOT" negation | comparison
    comparison  = primary [operator primary | "BETWEEN" primary "AND" primary | "IN" "(" primary ("," primary)* ")"]
    primary     = "(" condition ")" | name "(" [primary ("," primary)*] ")" | path | :value
    path        = name ("." name | "[" number "]")*

    update      = section+           sections SET, REMOVE, ADD, DELETE, each at most once, in any order
    assignment  = path "=" sum       sum = term [("+" | "-") term]    term = "(" sum ")" | function | path | :value
    projection  = path ("," path)*

Which operands a function or an operator takes is judged by `checks`, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cloudlet.emulator.services.dynamodb.expressions.nodes import (
    And,
    Arithmetic,
    Assignment,
    Between,
    Comparison,
    Function,
    Group,
    In,
    Literal,
    Node,
    Not,
    Or,
    Path,
    UpdateNodes,
)
from cloudlet.emulator.services.dynamodb.expressions.tokens import Tokens
from cloudlet.emulator.services.dynamodb.reserved_words import RESERVED_WORDS

OPERATORS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
MAX_NESTING: Final = 100
MAX_PATH_DEPTH: Final = 32
MAX_OPERATORS: Final = 300
CONDITIONS: Final = (Comparison, Between, In, And, Or, Not)
SECTIONS: Final = ("SET", "REMOVE", "ADD", "DELETE")


class Parser:
    """Parses one expression; `names_used` and `values_used` tell afterwards which placeholders it names."""

    __slots__ = ("names", "names_used", "operators", "tokens", "values_used")

    def __init__(self, expression: str, text: str, names: Mapping[str, str]) -> None:
        self.tokens = Tokens(expression, text)
        self.names = names
        self.names_used: set[str] = set()
        self.values_used: set[str] = set()
        self.operators = 0

    def count_operator(self) -> None:
        self.operators += 1
        if self.operators > MAX_OPERATORS:
            raise self.tokens.error(
                f"The expression contains too many operators; operator count: {self.operators}"
                if self.tokens.expression == "UpdateExpression"
                else f"Expression contains too many operators; operator count: {self.operators}"
            )

    # --- conditions

    def condition(self) -> Node:
        """A whole condition expression."""
        node = self.disjunction()
        self.tokens.expect_end()
        if not is_condition(node):
            raise self.tokens.syntax_error()
        return node

    def disjunction(self) -> Node:
        first = self.conjunction()
        if not self.tokens.at_word("OR"):
            return first
        members = [self.must_be_condition(first)]
        while self.tokens.take_word("OR"):
            self.count_operator()
            members.append(self.must_be_condition(self.conjunction()))
        return Or(tuple(members))

    def conjunction(self) -> Node:
        first = self.negation()
        if not self.tokens.at_word("AND"):
            return first
        members = [self.must_be_condition(first)]
        while self.tokens.take_word("AND"):
            self.count_operator()
            members.append(self.must_be_condition(self.negation()))
        return And(tuple(members))

    def negation(self) -> Node:
        if self.tokens.at_word("NOT"):
            self.tokens.advance()
            self.count_operator()
            self.enter()
            inner = self.must_be_condition(self.negation())
            self.tokens.depth -= 1
            return Not(inner)
        return self.comparison()

    def comparison(self) -> Node:
        left = self.primary()
        token = self.tokens.current
        if token.kind == "symbol" and token.text in OPERATORS:
            self.must_be_operand(left)
            self.tokens.advance()
            self.count_operator()
            return Comparison(token.text, ungroup(left), self.operand())
        if self.tokens.at_word("BETWEEN"):
            self.must_be_operand(left)
            self.tokens.advance()
            self.count_operator()
            low = self.operand()
            if not self.tokens.take_word("AND"):
                raise self.tokens.syntax_error()
            return Between(ungroup(left), low, self.operand())
        if self.tokens.at_word("IN"):
            self.must_be_operand(left)
            self.tokens.advance()
            self.count_operator()
            return In(ungroup(left), self.choices())
        return left

    def choices(self) -> tuple[Node, ...]:
        self.tokens.expect_symbol("(")
        choices = [self.operand()]
        while self.tokens.take_symbol(","):
            choices.append(self.operand())
        self.tokens.expect_symbol(")")
        return tuple(choices)

    def operand(self) -> Node:
        node = self.primary()
        self.must_be_operand(node)
        return ungroup(node)

    def primary(self) -> Node:
        token = self.tokens.current
        if token.kind == "symbol" and token.text == "(":
            self.tokens.advance()
            self.enter()
            inner = self.disjunction()
            self.tokens.depth -= 1
            self.tokens.expect_symbol(")")
            if isinstance(inner, Group):
                raise self.tokens.error("The expression has redundant parentheses;")
            return Group(inner)
        if token.kind == "valueref":
            return self.literal()
        if token.kind == "name":
            following = self.tokens.peek()
            if following.kind == "symbol" and following.text == "(":
                return self.function()
        return self.path()

    def function(self) -> Function:
        name = self.tokens.advance().text
        self.tokens.advance()
        self.enter()
        arguments: list[Node] = []
        if not self.tokens.at_symbol(")"):
            arguments.append(ungroup(self.primary()))
            while self.tokens.take_symbol(","):
                arguments.append(ungroup(self.primary()))
        self.tokens.depth -= 1
        self.tokens.expect_symbol(")")
        return Function(name, tuple(arguments))

    def enter(self) -> None:
        """One level deeper; bounded, since the parser recurses."""
        self.tokens.depth += 1
        if self.tokens.depth > MAX_NESTING:
            raise self.tokens.error("The expression has too many levels of nesting;")

    def must_be_condition(self, node: Node) -> Node:
        if not is_condition(node):
            raise self.tokens.syntax_error()
        return node

    def must_be_operand(self, node: Node) -> None:
        inner = node.inner if isinstance(node, Group) else node
        if isinstance(inner, CONDITIONS):
            raise self.tokens.syntax_error()

    # --- operands

    def literal(self) -> Literal:
        token = self.tokens.current
        if token.kind != "valueref":
            raise self.tokens.syntax_error()
        self.tokens.advance()
        self.values_used.add(token.text)
        return Literal(token.text)

    def path(self) -> Path:
        steps: list[str | int] = [self.name()]
        while True:
            if self.tokens.take_symbol("."):
                steps.append(self.name())
            elif self.tokens.at_symbol("["):
                self.tokens.advance()
                token = self.tokens.current
                if token.kind != "number":
                    raise self.tokens.syntax_error()
                self.tokens.advance()
                if len(token.text) > 9:
                    raise self.tokens.error(f"List index is not within the allowable range; index: [{token.text}]")
                steps.append(int(token.text))
                self.tokens.expect_symbol("]")
            else:
                break
            if len(steps) > MAX_PATH_DEPTH:
                raise self.tokens.error(
                    f"The document path has too many nesting elements; nesting levels: {len(steps)}"
                )
        return Path(tuple(steps))

    def name(self) -> str:
        """One attribute name of a path, resolved."""
        token = self.tokens.current
        if token.kind == "name":
            if token.text.upper() in RESERVED_WORDS:
                if token.text.upper() in ("AND", "OR", "NOT", "BETWEEN", "IN"):
                    raise self.tokens.syntax_error()
                raise self.tokens.error(f"Attribute name is a reserved keyword; reserved keyword: {token.text}")
            self.tokens.advance()
            return token.text
        if token.kind == "nameref":
            self.tokens.advance()
            resolved = self.names.get(token.text)
            if resolved is None:
                raise self.tokens.error(
                    "An expression attribute name used in the document path is not defined; "
                    f"attribute name: {token.text}"
                )
            self.names_used.add(token.text)
            return resolved
        raise self.tokens.syntax_error()

    # --- projections

    def projection(self) -> tuple[Path, ...]:
        """A whole projection expression."""
        paths = [self.path()]
        while self.tokens.take_symbol(","):
            paths.append(self.path())
        self.tokens.expect_end()
        return tuple(paths)

    # --- updates

    def update(self) -> UpdateNodes:
        """A whole update expression."""
        assignments: list[Assignment] = []
        removals: list[Path] = []
        additions: list[tuple[Path, Literal]] = []
        deletions: list[tuple[Path, Literal]] = []
        seen: set[str] = set()
        while True:
            section = self.section(seen)
            if section == "SET":
                assignments += self.assignments()
            elif section == "REMOVE":
                removals.append(self.path())
                while self.tokens.take_symbol(","):
                    removals.append(self.path())
            elif section == "ADD":
                additions += self.operands()
            else:
                deletions += self.operands()
            if self.tokens.current.kind == "end":
                break
        return UpdateNodes(tuple(assignments), tuple(removals), tuple(additions), tuple(deletions))

    def section(self, seen: set[str]) -> str:
        token = self.tokens.current
        section = token.text.upper()
        if token.kind != "name" or section not in SECTIONS:
            raise self.tokens.syntax_error()
        if section in seen:
            raise self.tokens.error(f'The "{section}" section can only be used once in an update expression;')
        seen.add(section)
        self.tokens.advance()
        return section

    def assignments(self) -> list[Assignment]:
        found = [self.assignment()]
        while self.tokens.take_symbol(","):
            found.append(self.assignment())
        return found

    def assignment(self) -> Assignment:
        path = self.path()
        self.tokens.expect_symbol("=")
        return Assignment(path, self.sum())

    def sum(self) -> Node:
        left = self.term()
        token = self.tokens.current
        if token.kind == "symbol" and token.text in "+-":
            self.tokens.advance()
            self.count_operator()
            return Arithmetic(token.text, left, self.term())
        return left

    def term(self) -> Node:
        token = self.tokens.current
        if token.kind == "symbol" and token.text == "(":
            self.tokens.advance()
            self.enter()
            inner = self.sum()
            self.tokens.depth -= 1
            self.tokens.expect_symbol(")")
            return inner
        if token.kind == "valueref":
            return self.literal()
        following = self.tokens.peek()
        if token.kind == "name" and following.kind == "symbol" and following.text == "(":
            name = self.tokens.advance().text
            self.tokens.advance()
            self.enter()
            arguments: list[Node] = []
            if not self.tokens.at_symbol(")"):
                arguments.append(self.term())
                while self.tokens.take_symbol(","):
                    arguments.append(self.term())
            self.tokens.depth -= 1
            self.tokens.expect_symbol(")")
            return Function(name, tuple(arguments))
        return self.path()

    def operands(self) -> list[tuple[Path, Literal]]:
        """The `path :value` pairs of ADD and DELETE."""
        found = [(self.path(), self.literal())]
        while self.tokens.take_symbol(","):
            found.append((self.path(), self.literal()))
        return found


def ungroup(node: Node) -> Node:
    """The node without the parentheses around it."""
    return node.inner if isinstance(node, Group) else node


def is_condition(node: Node) -> bool:
    """The node can stand where a condition must: functions are judged later, by name."""
    return isinstance(ungroup(node), (*CONDITIONS, Function))
