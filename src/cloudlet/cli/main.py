"""The program: global options, and how each way to end becomes an exit code.

0 done · 1 failure · 2 usage · 55 license · 124 waited too long · 130 interrupted
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cloudlet import __version__
from cloudlet.cli.context import FAILURE, INTERRUPT, Context, Failed, envelope
from cloudlet.cli.lazy import LazyGroup
from cloudlet.settings import SettingError

EPILOG = """\b
Examples:
  cloudlet quickstart              everything at once, ready to use
  cloudlet start -d                the emulator alone, in the background
  aws --endpoint-url http://localhost:4566 s3 mb s3://photos

\b
--json and --profile may stand anywhere on the line.
"""
GROUPS = ("auth", "license", "workspace", "ci-key", "config", "control", "admin")
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}  # never written


@click.group(cls=LazyGroup, context_settings=SETTINGS, epilog=EPILOG)
@click.version_option(__version__, "-v", "--version", prog_name="Cloudlet", message="%(prog)s %(version)s")
@click.option("-d", "--debug", is_flag=True, help="Start the emulator with DEBUG=1.")
@click.option("-p", "--profile", metavar="NAME", help="Variables from ~/.localstack/NAME.env.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document.")
@click.pass_context
def cli(ctx: click.Context, debug: bool, profile: str | None, as_json: bool) -> None:
    """An AWS endpoint on your machine, and its licensing platform."""
    profiles = tuple(part.strip() for part in (profile or "").split(",") if part.strip())
    ctx.obj = Context(json=as_json, profiles=profiles, debug=debug)


def main() -> None:
    """Entry point of `cloudlet` and `localstack`."""
    called = Path(sys.argv[0]).name
    sys.exit(run(sys.argv[1:], called if called == "localstack" else "cloudlet"))


def run(arguments: Sequence[str], name: str = "cloudlet") -> int:
    """Carry out one command line; returns the exit code. `name` is how the program was called."""
    arguments = move_global_options(arguments)
    as_json = "--json" in arguments[:4]
    try:
        code = cli.main(list(arguments), prog_name=name, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except Failed as error:
        if as_json:
            click.echo(envelope(words_of(arguments), "error", None, (), error))
        else:
            error.show()
        return error.exit_code
    except SettingError as error:
        return fail(str(error), "settings.invalid", as_json, arguments)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPT
    except BrokenPipeError:
        return silence_broken_pipe()
    except OSError as error:  # a folder or file of the user's that cannot be read or written
        if error.filename is None:
            raise
        return fail(f"{error.filename}: {error.strerror}.", "file.access", as_json, arguments)


def fail(message: str, code: str, as_json: bool, arguments: Sequence[str]) -> int:
    error = Failed(message, code=code)
    if as_json:
        click.echo(envelope(words_of(arguments), "error", None, (), error))
    else:
        error.show()
    return FAILURE


def words_of(arguments: Sequence[str]) -> str:
    """The command of a line, without options: `auth set-token`; what follows a command is not repeated."""
    words = [word for word in arguments if not word.startswith("-")]
    return " ".join(words[: 2 if words[:1] and words[0] in GROUPS else 1])


def move_global_options(arguments: Sequence[str]) -> list[str]:
    """`--json` and `--profile NAME` to the front, wherever they stand before a `--`."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument == "--json" or argument.startswith("--profile="):
            front.append(argument)
        elif argument == "--profile":
            front += [argument, *([value] if (value := next(remaining, None)) is not None else [])]
        else:
            rest.append(argument)
    return front + rest


def silence_broken_pipe() -> int:
    """The reader has gone (`cloudlet logs | head`): nothing more to say, and nothing to complain about at exit."""
    sys.stdout = open("/dev/null", "w")  # noqa: SIM115
    return FAILURE
