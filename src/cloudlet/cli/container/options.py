"""What `start --docker` takes beside the settings: -e, -p, -v, --network, --stack; DOCKER_FLAGS holds the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

import click
import msgspec

STACKS = ("cloudlet", "localstack", "localstack-pro")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`env`: NAME=VALUE, or NAME for the value that it has here. `publish` and `volume` are in Docker's notation."""

    env: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    volume: tuple[str, ...] = ()
    network: str = ""
    stack: str = ""

    def __bool__(self) -> bool:
        return bool(self.publish or self.volume or self.network or self.stack)

    def with_flags(self, flags: str) -> Options:
        """The options of DOCKER_FLAGS, too; the command line's own network wins. Raises click.UsageError."""
        found: dict[str, list[str]] = {"env": [], "publish": [], "volume": [], "network": []}
        for name, value in parse_flags(flags):
            found[name].append(value)
        return msgspec.structs.replace(
            self,
            env=(*found["env"], *self.env),
            publish=(*found["publish"], *self.publish),
            volume=(*found["volume"], *self.volume),
            network=self.network or "".join(found["network"][-1:]),
        )

    def variables(self, here: dict[str, str]) -> dict[str, str]:
        """Raises click.UsageError."""
        found = {}
        for assignment in self.env:
            name, separator, value = assignment.partition("=")
            if not name.isidentifier():
                raise click.UsageError(f"--env {assignment!r} is neither NAME=VALUE nor NAME")
            if separator:
                found[name] = value
            elif name in here:
                found[name] = here[name]
        return found

    def image(self, default: str) -> str:
        """`--stack cloudlet:0.1.0` is the default image with that tag. Raises click.UsageError."""
        name, _, tag = self.stack.partition(":")
        if not name:
            return default
        if name not in STACKS:
            raise click.UsageError(f"--stack {self.stack!r}: there are {', '.join(STACKS)}, each with or without :TAG")
        return f"{untagged(default)}:{tag}" if tag else default


FLAGS = ("-e --env env", "-p --publish publish", "-v --volume volume", "--network --net network")


def parse_flags(flags: str) -> Iterator[tuple[str, str]]:
    """(`env`, value) and so on. Raises click.UsageError for options that are not understood."""
    kinds = {word: line.split()[-1] for line in FLAGS for word in line.split()[:-1]}
    words = iter(split(flags))
    for word in words:
        option, separator, value = word.partition("=")
        if word[:2] in kinds and not word.startswith("--"):
            option, separator, value = word[:2], word[2:], word[2:].removeprefix("=")
        if option not in kinds:
            raise click.UsageError(f"DOCKER_FLAGS: {word!r} is none of -e, -p, -v, --network")
        following = value if separator else next(words, None)
        if following is None:
            raise click.UsageError(f"DOCKER_FLAGS: {word!r} has no value")
        yield kinds[option], following


def split(flags: str) -> Sequence[str]:
    try:
        return shlex.split(flags)
    except ValueError as error:
        raise click.UsageError(f"DOCKER_FLAGS={flags!r}: {error}") from None


def untagged(image: str) -> str:
    """`host:5000/a/b:tag` → `host:5000/a/b`."""
    folder, slash, name = image.rpartition("/")
    return folder + slash + name.partition("@")[0].partition(":")[0]
