"""A browser's User-Agent header in words."""

from __future__ import annotations

import re

# The first that is found names it: most browsers say that they are Chrome and Safari too.
BROWSERS = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"(?:OPR|Opera)/(\d+)")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/(\d+)")),
    ("Vivaldi", re.compile(r"Vivaldi/(\d+)")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"(?:HeadlessChrome|Chrome|CriOS|Chromium)/(\d+)")),
    ("Safari", re.compile(r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/")),
    ("curl", re.compile(r"^curl/(\d+)")),
)
SYSTEMS = (
    ("iPhone", re.compile(r"iPhone")),
    ("iPad", re.compile(r"iPad")),
    ("Android", re.compile(r"Android")),
    ("Windows", re.compile(r"Windows NT")),
    ("ChromeOS", re.compile(r"CrOS")),
    ("macOS", re.compile(r"Mac OS X|Macintosh")),
    ("Linux", re.compile(r"Linux|X11")),
)
LONGEST = 60


def in_words(user_agent: str) -> str:
    """`Firefox 145 on Windows`; what we do not know is shown as it is, shortened."""
    browser = next((f"{name} {found[1]}" for name, known in BROWSERS if (found := known.search(user_agent))), "")
    system = next((name for name, known in SYSTEMS if known.search(user_agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    if browser or system:
        return browser or f"A browser on {system}"
    shown = user_agent.strip()
    return (shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…") or "Unknown browser"
