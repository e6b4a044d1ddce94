"""The command `rehabbox`: finds the command's file, and turns every known error into one line and exit status 2."""

from __future__ import annotations

import io
import os
import signal
import sys
from importlib import import_module

import click

from appliance.errors import RehabBoxError
from hal.errors import HalError

COMMANDS = {
    "run": "the daemon",
    "demo": "a whole session on built-in input against a broker it starts",
    "doctor": "check devices, model, clock, disk, certificate and broker, each with its remedy",
    "devices": "what is plugged in, as settings",
    "network": "the box's network from one file",
    "stick": "enrol from a stick of the hospital's IT",
    "support": "pack a bundle for IT without patient data",
    "check-sensors": "find exchanged sensors by a short guided movement",
    "pose": "video or picture to skeleton CSV",
    "segment": "find the repetitions in a recording",
    "score": "compare a recording with a reference",
    "export": "a session's repetitions as FineRehab-style JSON",
    "sync": "find the offset between a camera's recording and a sensor's",
    "batch": "score every row of a manifest",
    "calibrate": "find the balance of pose and dynamics from recordings of known level",
    "template": "average healthy recordings into a reference",
    "calibrate-cameras": "two cameras to each other, from pictures of a checkerboard",
    "report": "a set as one page: pictures, scores, and in words what costs most",
    "reference": "sign a therapist's recording and put it on a box; record one in front of a box",
    "command": "have a box test itself, log more, renew its certificate, update, forget a patient, correct a result",
    "watch": "live table of boxes and results",
    "enrol": "make the box known to its hospital",
    "fleet": "the hospital's boxes: list, certificates, broker, labels",
    "bench": "measure this software beside its peers",
}


class _Commands(click.Group):
    """Imports a command's module when it is called, so that `--help` is quick and `segment` never loads a broker."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"appliance.commands.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rehabbox", prog_name="rehabbox")
def rehabbox() -> None:
    """Watches rehabilitation exercises, scores them against the therapist's recording, tells the hospital.

    Exit status: 0 done, 1 it ran and the answer is bad, 2 bad input or usage.
    """


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def main() -> None:
    """Entry point: status 2 and one line on stderr for bad input, 130 on Ctrl-C."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not be text
    try:
        status = rehabbox.main(prog_name="rehabbox", standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.Abort:
        sys.exit(128 + signal.SIGINT)
    except click.exceptions.NoArgsIsHelpError as usage:
        click.echo(usage.format_message())
        sys.exit(2)
    except click.ClickException as error:
        print(f"rehabbox: {_one_line_of_click(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (RehabBoxError, HalError, OSError) as error:
        print(f"rehabbox: {_one_line(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _one_line_of_click(error: click.ClickException) -> str:
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f" (see {error.ctx.command_path} --help)"
    return " ".join(error.format_message().split()) + hint
