"""`rehabbox reference`: the hospital's side of reference recordings: a key, a signed recording on a box, a new take."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import uuid4

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from appliance.commands.broker_options import broker_options
from appliance.commands.output import json_option, print_json
from appliance.errors import BrokerError, NotScorableError, RecordingError
from appliance.hospital.asking import ask
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.messages.topics import Topics

ANSWER_S = 15.0


@click.group()
def reference() -> None:
    """Sign a therapist's recording and put it on a box; record one in front of a box.

    \b
    Example:
      rehabbox reference key --out signing.key
      rehabbox reference record mqtts://broker.example --site clinic --box box-1 --exercise squat --repetitions 5 \\
          --takes 2 --out takes --ca ca.pem --certificate hospital.pem --key hospital.key
      rehabbox reference publish mqtts://broker.example takes/*.csv.gz --site clinic --box box-1 --exercise squat \\
          --signing-key signing.key --ca ca.pem --certificate hospital.pem --key hospital.key
    """


@reference.command()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The private key; `.pub` is the public one."
)
def key(out: Path) -> None:
    """Make the hospital's signing key: FILE (keep it from the boxes) and FILE.pub (boxes get it at their enrolment).

    \b
    Example:
      rehabbox reference key --out signing.key
    """
    made = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.UsageError(f"{out} is there already; a key is never overwritten") from None
    public = out.with_name(f"{out.name}.pub")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public.write_bytes(made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    except OSError:
        out.unlink()
        raise
    click.echo(f"{out} and {public}")


@reference.command()
@broker_options
@click.argument("takes", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--exercise", required=True, help="The exercise's id.")
@click.option("--signing-key", type=click.Path(path_type=Path), required=True, help="Of `rehabbox reference key`.")
@json_option
def publish(
    address: BrokerAddress,
    site: str,
    box: str,
    takes: tuple[Path, ...],
    exercise: str,
    signing_key: Path,
    as_json: bool,
) -> int:
    """Sign one or two takes and put them on a box; exit status 1 if the box refuses them.

    The first take is what patients are scored against, its digest is what a prescription names. A second one tells how
    much the instructor differs from themself.

    \b
    Example:
      rehabbox reference publish mqtts://broker.example squat.csv.gz --site clinic --box box-1 --exercise squat \\
          --signing-key signing.key --ca ca.pem --certificate hospital.pem --key hospital.key
    """
    from appliance.exercises import exercise_by_id
    from appliance.hospital.signature import digest_of_bytes, load_signing_key, sign, statement
    from appliance.messages.model import encode
    from appliance.messages.reference import MAX_BYTES, Reference
    from appliance.recording.files import read_recording
    from appliance.scoring.options import options_for
    from appliance.scoring.prepare import prepare_reference

    if len(takes) > 2:
        raise click.UsageError(f"{len(takes)} takes; a reference has one or two")
    signer, options = load_signing_key(signing_key), options_for(exercise_by_id(exercise))
    contents = []
    for take in takes:
        try:
            prepare_reference(read_recording(take), options)
        except NotScorableError as error:
            raise RecordingError(f"{take}: {error}") from None
        contents.append(take.read_bytes())
    issued, digest = datetime.now(UTC), digest_of_bytes(contents[0])
    payload = encode(
        Reference.model_construct(
            digest=digest,
            exercise=exercise,
            issued=issued,
            takes=tuple(contents),
            signature=sign(signer, statement(exercise, issued, contents)),
        )
    )
    if len(payload) > MAX_BYTES:
        raise RecordingError(f"{takes[0]}: the takes have {len(payload)} bytes as a message, at most {MAX_BYTES}")
    topics = Topics(site, box)
    answer = ask(address, topics, topics.reference(digest), payload, ANSWER_S, retain=True)
    outcome, reason = (answer["outcome"], answer.get("reason")) if answer else (None, None)
    if as_json:
        print_json({"digest": digest, "outcome": outcome, "reason": reason})
    else:
        away = "lies at the broker; the box did not answer, and takes it when it is back"
        click.echo(f"{digest}\n{': '.join(filter(None, (outcome or away, reason)))}")
    return 0 if outcome in (None, "accepted") else 1


@reference.command()
@broker_options
@click.argument("digest")
def withdraw(address: BrokerAddress, site: str, box: str, digest: str) -> None:
    """Take a reference off a box: removed as soon as no prescription there names it.

    \b
    Example:
      rehabbox reference withdraw mqtts://broker.example sha256:6c27... --site clinic --box box-1 \\
          --ca ca.pem --certificate hospital.pem --key hospital.key
    """
    from appliance.errors import RefusedError
    from appliance.inbound.references import digest_in

    try:
        named = digest_in(digest)
    except RefusedError:
        raise click.UsageError(f"{digest}: is no digest; `rehabbox reference publish` prints it") from None
    with HospitalClient(address, f"reference-{token_hex(4)}") as client:
        client.publish(Topics(site, box).reference(named), b"", retain=True)


@reference.command()
@broker_options
@click.option("--exercise", required=True, help="The exercise's id.")
@click.option(
    "--side", type=click.Choice(["left", "right", "both"]), default="both", show_default=True, help="That moves."
)
@click.option("--repetitions", type=click.IntRange(1, 20), default=5, show_default=True, help="In a take.")
@click.option(
    "--takes", type=click.IntRange(1, 2), default=1, show_default=True, help="A second one tells how alike they are."
)
@click.option("--minutes", type=click.IntRange(1, 60), default=10, show_default=True, help="Then the box gives up.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the recorded takes.")
@json_option
def record(
    address: BrokerAddress,
    site: str,
    box: str,
    exercise: str,
    side: str,
    repetitions: int,
    takes: int,
    minutes: int,
    out: Path,
    as_json: bool,
) -> int:
    """Let a therapist record an exercise in front of a box, guided by its light and loudspeaker.

    The takes come here and stay nowhere else. They are no reference before `publish` has signed them.

    \b
    Example:
      rehabbox reference record mqtts://broker.example --site clinic --box box-1 --exercise squat --repetitions 5 \\
          --out takes --ca ca.pem --certificate hospital.pem --key hospital.key
    """
    from appliance.messages.command import RecordReference
    from appliance.messages.model import encode
    from appliance.recording.disk import write_whole

    now = datetime.now(UTC)
    command = RecordReference.model_validate(
        {
            "id": uuid4(),
            "box": box,
            "issued": now,
            "expires": now + timedelta(minutes=minutes),
            "exercise": exercise,
            "side": side,
            "repetitions": repetitions,
            "takes": takes,
        }
    )
    out.mkdir(parents=True, exist_ok=True)
    click.echo(f"The box calls for {exercise}, {repetitions} repetitions, {takes} x; waiting for it.", err=True)
    topics = Topics(site, box)
    life_s = minutes * 60
    question = topics.command("record-reference")
    answer = ask(address, topics, question, encode(command), life_s + ANSWER_S, expiry_s=life_s)
    if answer is None:
        raise BrokerError(f"the box {box} did not answer within {minutes} minutes; is it on?")
    files = []
    for number, take in enumerate(_takes_of(answer, box), 1):
        file = out / f"{exercise}-{number}.csv.gz"
        write_whole(file, take)
        files.append(str(file))
    if as_json:
        print_json({"outcome": answer["outcome"], "reason": answer.get("reason"), "files": files})
    else:
        click.echo("\n".join(files) or ": ".join(filter(None, (answer["outcome"], answer.get("reason")))))
    return 0 if files else 1


def _takes_of(answer: dict[str, Any], box: str) -> list[bytes]:
    """The recordings in it. Raises `BrokerError`."""
    try:
        takes = (answer.get("recorded") or {}).get("takes", [])
        return [base64.b64decode(take["recording"], validate=True) for take in takes]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise BrokerError(f"the box {box} gave an answer whose recordings cannot be read; record again") from None
