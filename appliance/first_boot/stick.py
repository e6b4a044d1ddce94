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
    taken, refused = _take_answer(folder, identity)
    if taken is not None:
        return [taken]
    if (folder / "code.txt").exists():
        hospital, box = read_hospital(folder / "hospital.json"), _word(folder / "box.txt", LEVEL)
        current = online(identity, hospital, box, _word(folder / "code.txt", r"^[\x21-\x7e]{1,256}$"), None)
        (folder / "code.txt").unlink()
        return [*refused, _enrolled(current)]
    if (folder / "box.txt").exists():
        box = _word(folder / "box.txt", LEVEL)
        write_durably(folder / f"{box}.csr", identity.request(box), 0o644)
        return [*refused, f"{box}.csr: carry it to the hospital, and bring back its answer on this stick"]
    raise EnrolmentError(f"{folder}: neither an answer for this box nor box.txt with its id")


def report(folder: Path, identity: Identity, lines: list[str]) -> Path:
    """Writes what came of it onto the stick. Raises `EnrolmentError`."""
    file = folder / f"rehabbox-{_box(folder, identity) or 'new-box'}.txt"
    write_durably(file, "".join(f"{line}\n" for line in lines).encode(), 0o644)
    return file


def _box(folder: Path, identity: Identity) -> str | None:
    """This box's id, where it or the stick knows it. Raises `EnrolmentError`."""
    try:
        return identity.current().enrolment.box
    except EnrolmentError:
        box = folder / "box.txt"
        return _word(box, LEVEL) if box.exists() else None


def _take_answer(folder: Path, identity: Identity) -> tuple[str | None, list[str]]:
    """The answer that fits this box's key; where none does, why the one by this box's name was refused.

    Raises that, or why a single answer was refused, where the stick asks for nothing else.
    """
    faults: dict[str, EnrolmentError] = {}
    for file in sorted(folder.glob("*.enrolment.json")):
        try:
            return _enrolled(identity.install(_answer(file))), []
        except EnrolmentError as error:
            faults[file.name] = error
    name = f"{_box(folder, identity)}.enrolment.json"
    own = faults.get(name)
    if not (folder / "box.txt").exists():
        fault = own or (next(iter(faults.values())) if len(faults) == 1 else None)
        if fault is not None:
            raise fault
    return None, [] if own is None else [f"{name}: refused: {' '.join(str(own).split())}"]


def _answer(file: Path) -> Enrolment:
    try:
        size = file.stat().st_size
    except OSError as error:
        raise EnrolmentError(f"{file}: cannot be read: {error.strerror}") from None
    if size > MOST_BYTES:
        raise EnrolmentError(f"{file}: is larger than {MOST_BYTES} bytes")
    return read_enrolment(file)


def _enrolled(current: Current) -> str:
    told = current.enrolment
    return f"enrolled: box {told.box} of {told.hospital.site}, broker {told.hospital.broker.host}"


def _word(file: Path, pattern: str) -> str:
    """The one word in a file; it is not repeated in an error, since it may be a code."""
    try:
        with file.open("r", encoding="utf-8-sig") as stream:
            word = stream.read(1024).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnrolmentError(f"{file}: cannot be read ({type(error).__name__})") from None
    if not re.match(pattern, word):
        raise EnrolmentError(
            f"{file}: must hold one word of {'letters, digits, . _ -' if pattern == LEVEL else 'text'}"
        )
    return word
