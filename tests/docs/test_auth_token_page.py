"""docs/auth-token.md, run as a script: each block as it stands but for addresses and credentials, each output compared.

In an output `…` stands for anything. What the reader would have done between two sections (an admin took the license away,
the token was reset, another machine) is done here by the section's name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import create_token, ensure_auth_token, reset_auth_token
from cloudlet.control.licenses.service import assign, unassign
from cloudlet.control.licenses.tables import License
from cloudlet.control.workspaces.tables import Membership
from tests.cli.conftest import CommandLine
from tests.conftest import ROOT
from tests.control.serving import RunningPlatform

PAGE = ROOT / "docs" / "auth-token.md"
PIECE = re.compile(r"^(#{2,3} [^\n]+)$|^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Languages of blocks that are read here and not run, and why.
NOT_RUN = {
    "powershell": "there is no PowerShell on the machines that run the tests; its text is compared with bash's",
    "sh": "dig asks the name server of the machine, which tests do not depend on",
}


class Example(msgspec.Struct, frozen=True):
    """A block under a heading, with the output that the page shows for it ("" for none)."""

    heading: str
    language: str
    body: str
    output: str


def examples() -> Iterator[Example]:
    heading, pending = "", None
    for title, language, body in PIECE.findall(PAGE.read_text("utf-8")):
        if title:
            heading = title.lstrip("# ")
        elif language == "text":
            assert pending is not None, body
            yield msgspec.structs.replace(pending, output=body)
            pending = None
        else:
            if pending is not None:
                yield pending
            pending = Example(heading, language, body, "")
    if pending is not None:
        yield pending


class Reader:
    """Somebody with a machine, a token and a CI key, who types what the page says."""

    def __init__(self, line: CommandLine, platform: RunningPlatform) -> None:
        self.line = line
        self.platform = platform
        self.member: BootstrapResult = platform.bootstrap("reader@example.com")
        with platform.database.transaction() as session:
            made = create_token(
                session,
                platform.platform,
                self.member.workspace_id,
                kind="ci",
                membership=None,
                name="pipeline",
                actor="test",
            )
        self.ci_key = made.token
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.variables = line.variables | {
            "PATH": path,
            "API_ENDPOINT": f"{platform.url}/v1",
            "WEB_APP_URL": platform.url,
        }

    def here(self, text: str) -> str:
        """The page's addresses and placeholders as they are on this machine."""
        text = text.replace("http://127.0.0.1:4580", self.platform.url)
        text = re.sub(r"\b(localhost|127\.0\.0\.1):4566", f"127.0.0.1:{self.line.port}", text)
        return text.replace("<YOUR_AUTH_TOKEN>", self.member.token).replace("<YOUR_CI_KEY>", self.ci_key)

    def run(self, body: str) -> str:
        done = subprocess.run(
            ["bash", "-c", self.here(body)],
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout

    def change(self, action: Callable[[Session, Membership], object]) -> None:
        """Something that an admin does. The machine has no license left from before.

        Who activates by hand has put something right: that starts were refused lately is forgotten.
        """
        self.type("license", "activate")
        with self.platform.database.transaction() as session:
            here = Membership.workspace_id == self.member.workspace_id
            action(session, session.scalars(select(Membership).where(here)).one())
        self.type("license", "remove")

    def type(self, *words: str) -> None:
        self.line(*words, **{name: self.variables[name] for name in ("API_ENDPOINT", "WEB_APP_URL")})

    def prepare(self, heading: str) -> None:
        platform, space = self.platform.platform, self.member.workspace_id
        if heading == "There are no credentials":
            self.type("auth", "clear-token")
        elif heading == "No license is assigned":
            self.type("auth", "set-token", self.member.token)
            self.change(lambda session, member: unassign(session, platform, space, member.id, actor="test"))
        elif heading == "The license expired":
            self.change(lambda session, member: assign(session, platform, space, member.id, actor="test"))
            self.change(lambda session, _: session.execute(update(License).values(expires_at=platform.now())))
        elif heading == "The token was reset":
            later = platform.later(days=10)
            self.change(lambda session, _: session.execute(update(License).values(expires_at=later)))
            self.change(lambda session, member: reset_auth_token(session, platform, member, actor="test"))
        elif heading == "The license server cannot be reached":
            with self.platform.database.transaction() as session:
                member = session.scalars(select(Membership).where(Membership.workspace_id == space)).one()
                token = ensure_auth_token(session, platform, member, actor="test").token
            self.type("auth", "set-token", token)
            self.type("license", "activate")


def matches(output: str, shown: str) -> bool:
    """Are the page's lines there, one after the other? `…` in a line is any text, a line of its own any lines."""
    lines = [line.rstrip() for line in output.splitlines()]
    at = 0
    for wanted in (line.rstrip() for line in shown.splitlines()):
        if wanted in {"", "…"}:
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("…")))
        found = next((number for number in range(at, len(lines)) if pattern.fullmatch(lines[number])), None)
        if found is None:
            return False
        at = found + 1
    return True


@pytest.mark.timeout(400)
def test_every_command_of_the_page_prints_what_the_page_shows(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for tool in ("bash", "curl"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    platform = RunningPlatform(tmp_path_factory.mktemp("control"))
    line = CommandLine(tmp_path)
    try:
        reader = Reader(line, platform)
        heading, runs = "", 0
        for example in examples():
            if example.heading != heading:
                heading = example.heading
                reader.prepare(heading)
            if example.language in NOT_RUN:
                continue
            assert example.language == "bash", example
            if "that never reached" in before(example):
                line("license", "remove")
            output = reader.run(example.body)
            assert matches(output, reader.here(example.output)), f"{example.body}\nprinted:\n{output}"
            for secret in (reader.member.token, reader.ci_key):
                assert secret not in output
            runs += 1
        assert runs >= 14
    finally:
        line.clean_up()
        platform.close()


def before(example: Example) -> str:
    """The line of the page above a block."""
    text = PAGE.read_text("utf-8")
    return text[: text.index(example.body)].removesuffix("```bash\n").rstrip().rpartition("\n")[2]


def test_powershells_lines_say_the_same_as_bashs() -> None:
    """Text only: see NOT_RUN."""
    found = list(examples())
    bash = "\n".join(example.body for example in found if example.language == "bash")
    lines = [example.body.strip() for example in found if example.language == "powershell"]
    assert lines
    for text in lines:
        name, value, command = re.fullmatch(r'\$env:(\w+)="([^"]+)"; (localstack \w+)', text).groups()  # type: ignore[union-attr]
        assert f"{name}={value} {command}" in bash


def test_what_is_not_run_has_its_reason() -> None:
    assert {example.language for example in examples()} == {"bash", *NOT_RUN}


@pytest.mark.parametrize(
    ("output", "shown", "is_same"),
    [
        ("a\nb\nc\n", "a\n…\nc\n", True),
        ("a\nb\nc\n", "c\na\n", False),
        ("version 1.2 (pro)\n", "version … (pro)\n", True),
        ("version 1.2 (pro) x\n", "version … (pro)\n", False),
        ("a\n", "", True),
    ],
)
def test_outputs_are_compared_line_by_line(output: str, shown: str, is_same: bool) -> None:
    assert matches(output, shown) is is_same
