"""`rehabbox command`: what the hospital asks of one box, and the box's answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import click
from pydantic import ValidationError

from appliance.commands.broker_options import broker_options
from appliance.commands.output import json_option, print_json
from appliance.commands.seconds import Seconds
from appliance.hospital.client import BrokerAddress

NAMES = ("self-test", "set-log-level", "rotate-certificate", "update", "forget-patient", "correct-result")
"""`record-reference` is `rehabbox reference record`."""


@click.command()
@broker_options
@click.argument("name", type=click.Choice(NAMES))
@click.option("--set", "parameters", metavar="KEY=VALUE", multiple=True, help="One of the command's own keys.")
@click.option("--minutes", type=click.IntRange(1, 7 * 1440), default=10, show_default=True, help="Its life.")
@click.option("--wait", "wait_s", type=Seconds(1), default=60.0, show_default=True, help="Seconds, for the answer.")
@json_option
def command(
    address: BrokerAddress,
    site: str,
    box: str,
    name: str,
    parameters: tuple[str, ...],
    minutes: int,
    wait_s: float,
    as_json: bool,
) -> int:
    """Ask something of a box and show its answer; exit status 1 if it was not done.

    The keys of each command are in docs/schemas/command-NAME.json. A box that is off does it when it is back, within
    --minutes, and answers on `answer/...` then. What takes a while is `accepted` first: --wait 1800 shows what came of
    an update.

    \b
    Examples:
      rehabbox command mqtts://broker.example self-test --site clinic --box box-1 \\
          --ca ca.pem --certificate hospital.pem --key hospital.key
      rehabbox command mqtts://broker.example forget-patient --set subject=p-20931 --site clinic --box box-1 \\
          --ca ca.pem --certificate hospital.pem --key hospital.key
      rehabbox command mqtts://broker.example correct-result --set action=withdraw --set by=therapist-7 \\
          --set result=0d1b6d57-2c9f-4f0e-b6c5-5a1b0c3f7e42 --set "reason=somebody else did it" \\
          --site clinic --box box-1 --ca ca.pem --certificate hospital.pem --key hospital.key
    """
    from appliance.hospital.asking import ask
    from appliance.messages.command import COMMANDS
    from appliance.messages.model import encode
    from appliance.messages.topics import Topics

    now = datetime.now(UTC)
    own = {"id": uuid4(), "box": box, "issued": now, "expires": now + timedelta(minutes=minutes)}
    given = dict(pair.partition("=")[::2] for pair in parameters)
    try:
        message = COMMANDS[name].model_validate(given | own, strict=False)
    except ValidationError as error:
        fault = error.errors()[0]
        raise click.UsageError(f"--set {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    topics = Topics(site, box)
    answer = ask(address, topics, topics.command(name), encode(message), wait_s, expiry_s=minutes * 60)
    if as_json:
        print_json({"answer": answer})
    elif answer is None:
        click.echo(f"no answer within {wait_s:g} s; the box does it when it is back, until {message.expires:%H:%M} UTC")
    else:
        shown = {key: value for key, value in answer.items() if value is not None}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    return 0 if answer is not None and answer.get("outcome") == "done" else 1
