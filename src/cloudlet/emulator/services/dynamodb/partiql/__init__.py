"""PartiQL for DynamoDB: SELECT, INSERT, UPDATE and DELETE.

    statement ─ lexer ─ parser ─ a statement in nodes of `expressions` ─ runner ─ the functions of `items` and `pages`

Conditions and right-hand sides become the nodes of DynamoDB's own expressions, so both languages judge items alike.

Source: "PartiQL - a SQL-compatible query language for Amazon DynamoDB", Developer Guide.
"""
