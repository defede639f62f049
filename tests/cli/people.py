"""People at a browser, for command lines that wait for them; and control planes to which those command lines talk."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import httpx

from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.limits.tables import RateBucket
from tests.cli.conftest import CommandLine
from tests.control.people import csrf, sign_in
from tests.control.serving import RunningPlatform

ADDRESS = re.compile(r"(http://\S+/auth/request/\S+)")


class Login:
    """A running `auth login`: its address and code, and how it ended."""

    def __init__(self, line: CommandLine, *words: str, **extra: str) -> None:
        self.process = subprocess.Popen(
            line.arguments("auth", "login", "--no-browser", *words),
            env=line.variables | extra,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line.started.append(self.process)
        self.is_json = "--json" in words
        self.read = ""
        stream = self.process.stderr if self.is_json else self.process.stdout
        assert stream is not None
        while "  Code  " not in self.read:
            text = stream.readline()
            assert text, (self.read, self.process.communicate())
            self.read += text
        self.url = ADDRESS.findall(self.read)[0]
        self.code = re.findall(r"Code {2}(\w+)", self.read)[0]

    def end(self) -> tuple[int, str, str]:
        """Exit code and the rest of both outputs."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err

    def answer(self) -> dict[str, object]:
        _, out, _ = self.end()
        document: dict[str, object] = json.loads(out)
        return document


def decide(platform: RunningPlatform, member: BootstrapResult, url: str, decision: str, workspace: str = "") -> str:
    """Somebody opens the address, signs in, and presses a button. Returns the page that they saw first."""
    path = url.removeprefix(platform.url)
    with platform.client() as client:
        sign_in(client, platform.bootstrap(member.email))
        page = client.get(path)
        assert page.status_code == 200, page.text
        data = {"_csrf_token": csrf(page.text), "decision": decision, "membership_id": choose(page.text, workspace)}
        answered = client.post(path.partition("?")[0], data=data)
        assert answered.status_code == 200, answered.text
    return page.text


def choose(page: str, workspace: str) -> str:
    """The value of the workspace's entry in the page's form."""
    options = re.findall(r'<option value="(mem_\w+)"( selected)?>([^<]+), ', page)
    if not options:
        return re.findall(r'name="membership_id" value="(mem_\w+)"', page)[0]
    wanted = [value for value, selected, name in options if (name == workspace if workspace else selected)]
    return wanted[0]


def logged_in(line: CommandLine, platform: RunningPlatform, member: BootstrapResult, *words: str) -> str:
    """`auth login`, approved. Returns what it printed at the end."""
    login = Login(line, *words)
    decide(platform, member, login.url, "approve")
    code, out, err = login.end()
    assert code == 0, out + err
    return out


def forget_limits(platform: RunningPlatform) -> None:
    """All tests come from one address."""
    with platform.database.transaction() as session:
        session.query(RateBucket).delete()


def stored(line: CommandLine) -> str:
    """Everything that the configuration directory holds."""
    folder = Path(line.home, ".localstack")
    return "\n".join(path.read_text() for path in sorted(folder.iterdir())) if folder.exists() else ""


def is_accepted(platform: RunningPlatform, token: str) -> bool:
    return httpx.get(f"{platform.url}/v1/auth/token", headers={"authorization": f"Bearer {token}"}).is_success
