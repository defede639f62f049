"""What a name, an e-mail address and a password may be."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence

from cloudlet.control.accounts.errors import WeakPassword
from cloudlet.control.errors import InvalidForm

LEAST_PASSWORD = 12
LARGEST_PASSWORD = 200
LEAST_SCORE = 3  # zxcvbn's "safely unguessable": more than 10^8 guesses, by somebody who knows the person
ESTIMATED = 72  # the estimate looks at so many characters; whoever types more needs no advice
LARGEST_NAME = 100
LARGEST_EMAIL = 254
EMAIL = re.compile(r"[^@\s<>(),;:\"\[\]\\]{1,64}@[^@\s<>(),;:\"\[\]\\.]+(\.[^@\s<>(),;:\"\[\]\\.]+)*")


def checked_password(password: str, *about: str) -> str:
    """The password, unless somebody who knows `about` (address, name) would guess it. Raises WeakPassword."""
    if not LEAST_PASSWORD <= len(password) <= LARGEST_PASSWORD:
        raise WeakPassword(f"Choose {LEAST_PASSWORD} characters or more, for example four unrelated words.")
    zxcvbn = importlib.import_module("zxcvbn").zxcvbn  # lazy: 14 MB of word lists, for who chooses a password
    estimate = zxcvbn(password[:ESTIMATED], user_inputs=words_of(about))
    if estimate["score"] < LEAST_SCORE:
        reason = estimate["feedback"]["warning"] or "That is easy to guess."
        raise WeakPassword(f"{reason.rstrip('.')}. Choose another one, for example four unrelated words.")
    return password


def words_of(about: Sequence[str]) -> list[str]:
    """Each text and the words in it."""
    texts = [text.lower() for text in about if text]
    return ["cloudlet", *texts, *(word for text in texts for word in re.split(r"[^\w]+", text) if len(word) > 2)]


def checked_email(email: str) -> str:
    """Without spaces around it. Raises InvalidForm; whether mail arrives there is for a mail to find out."""
    found = email.strip()
    if len(found) > LARGEST_EMAIL or not found.isprintable() or not EMAIL.fullmatch(found):
        raise InvalidForm("That is no e-mail address. It looks like name@example.com.")
    return found


def checked_name(name: str) -> str:
    """In one line. Raises InvalidForm."""
    found = " ".join(name.split())
    if not found or len(found) > LARGEST_NAME or not found.isprintable():
        raise InvalidForm(f"Tell us your name, in {LARGEST_NAME} characters at most.")
    return found
