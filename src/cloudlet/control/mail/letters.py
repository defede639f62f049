"""The letters: one text file a kind in `letters/`, filled in with Jinja; what all share is here and in `frame.txt`.

{% extends "frame.txt" %}
{% block subject %}Confirm your e-mail address{% endblock %}
{% block text %}
Paragraphs, of any width. A line with an address in it stands alone.
{% endblock %}
"""

from __future__ import annotations

import textwrap
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent / "letters"
COLUMNS = 72


def show_moment(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def make_environment() -> Environment:
    """Plain text, so nothing is escaped; a fact that a letter lacks is an error."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  plain text
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = show_moment
    return environment


LETTERS = make_environment()


def letter(kind: str, **facts: object) -> tuple[str, str]:
    """Subject and text. Raises jinja2.TemplateNotFound for a kind that does not exist, UndefinedError for a lacking fact."""
    template = LETTERS.get_template(kind + ".txt")
    context = template.new_context(dict(facts))
    subject = " ".join("".join(template.blocks["subject"](context)).split())
    paragraphs = template.render(**facts).strip().split("\n\n")
    return subject[:300], "\n\n".join(wrapped(paragraph) for paragraph in paragraphs) + "\n"


def wrapped(paragraph: str) -> str:
    """A paragraph in lines of at most 72 columns; links and lists stay as they are, they must not break."""
    if "://" in paragraph or paragraph.lstrip("\n").startswith((" ", "-")):
        return paragraph.strip("\n")
    return textwrap.fill(" ".join(paragraph.split()), COLUMNS, break_long_words=False, break_on_hyphens=False)
