"""A stick of the hospital's IT: what it brings for this box is taken, what the box has to say is written onto it.

    box.txt               the box's id, as on its label; needed for a request and for a one-time code
    hospital.json         what the hospital tells all its boxes (`rehabbox fleet hospital`)
    code.txt              a one-time code, for a hospital with an EST server; used up, it is removed from the stick
    *.enrolment.json      the hospital's answers (`rehabbox fleet sign`); a box takes its own
    <box>.csr             written: the request to carry to the hospital, where neither code nor answer is there
    rehabbox-<box>.txt    written: what came of it

One stick serves many boxes: a box leaves alone what is another's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from appliance.enrolment.durable import write_durably
from appliance.enrolment.hospital_file import Enrolment, Hospital, read_enrolment, read_hospital
from appliance.enrolment.identity import Current, Identity
from appliance.enrolment.online import enrol_online
from appliance.errors import EnrolmentError
from appliance.hospital.settings import LEVEL

MOST_BYTES = 1 << 20
Online = Callable[[Identity, Hospital, str, str, str | None], Current]


def serve(folder: Path, identity: Identity, online: Online = enrol_online) -> list[str]:
    """What was done, in lines for people. Raises `EnrolmentError` where nothing could be.

    online: for tests.
    """
    taken = _take_answer(folder, identity)
    if taken is not None:
        return [taken]
    if (folder / "code.txt").exists():
        hospital, box = read_hospital(folder / "hospital.json"), _word(folder / "box.txt", LEVEL)
        current = online(identity, hospital, box, _word(folder / "code.txt", r"^[\x21-\x7e]{1,256}$"), None)
        (folder / "code.txt").unlink()
        return [_enrolled(current)]
    if (folder / "box.txt").exists():
        box = _word(folder / "box.txt", LEVEL)
        write_durably(folder / f"{box}.csr", identity.request(box), 0o644)
        return [f"{box}.csr: carry it to the hospital, and bring back its answer on this stick"]
    raise EnrolmentError(f"{folder}: neither an answer for this box nor box.txt with its id")


def report(folder: Path, identity: Identity, lines: list[str]) -> Path:
    """Writes what came of it onto the stick. Raises `EnrolmentError`."""
    try:
        name = identity.current().enrolment.box
    except EnrolmentError:
        box = folder / "box.txt"
        name = _word(box, LEVEL) if box.exists() else "new-box"
    file = folder / f"rehabbox-{name}.txt"
    write_durably(file, "".join(f"{line}\n" for line in lines).encode(), 0o644)
    return file


def _take_answer(folder: Path, identity: Identity) -> str | None:
    """The answer that fits this box's key; None where none does. A single one that does not fit is an error."""
    fault: EnrolmentError | None = None
    answers = sorted(folder.glob("*.enrolment.json"))
    for file in answers:
        try:
            return _enrolled(identity.install(_answer(file)))
        except EnrolmentError as error:
            fault = error
    if fault is not None and len(answers) == 1 and not (folder / "box.txt").exists():
        raise fault
    return None


def _answer(file: Path) -> Enrolment:
    if file.stat().st_size > MOST_BYTES:
        raise EnrolmentError(f"{file}: is larger than {MOST_BYTES} bytes")
    return read_enrolment(file)


def _enrolled(current: Current) -> str:
    told = current.enrolment
    return f"enrolled: box {told.box} of {told.hospital.site}, broker {told.hospital.broker.host}"


def _word(file: Path, pattern: str) -> str:
    """The one word in a file; it is not repeated in an error, since it may be a code."""
    try:
        with file.open("r", encoding="ascii") as stream:
            word = stream.read(1024).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnrolmentError(f"{file}: cannot be read ({type(error).__name__})") from None
    if not re.match(pattern, word):
        raise EnrolmentError(
            f"{file}: must hold one word of {'letters, digits, . _ -' if pattern == LEVEL else 'text'}"
        )
    return word
