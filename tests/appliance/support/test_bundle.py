"""Patients and secrets are laid wherever a box could have them; nothing of them is in any file of the bundle."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import tarfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest

from appliance.hospital.outbox import Outbox
from appliance.support import bundle, pack
from appliance.update.record import Record, Trial, Verdict

HOLDER, PRESCRIBED, LEAVING = "Müller-4711", 'p\\2 "Ü" 77123', "subject-0815-x"
WAITING, RESULT, DAMAGED, SHORT = "ward7/9931", "Ægir-99812", "Çelik 55120", "p-1"
PATIENTS = (HOLDER, PRESCRIBED, LEAVING, WAITING, RESULT, DAMAGED)
SECRETS = {
    "Wifi-PSK": "psk-Hunter2",
    "PIN": "pin-93817",
    "pairing_pin": "pin-55512",
    "Password": "correct horse 'battery'",
    "passphrase": "staple-8812",
    "apiToken": "tok-abcdef123",
    "SECRET_KEY": "sec-778899",
    "credential": "cred-445566",
    "one-time code": "XKCD-4711-QQ",
    "Api-Key": "apik-667788",
}
USER, USERS_PASSWORD = "jane", "hunter-2-url"
MORE = ("MIIEvQIBADANBg", "amFuZTpodW50ZXI=", "Familie Wagner", "de:ad:be:ef:00:17", "unknown-4812", "plug-in-7713")


@dataclass(frozen=True, slots=True)
class Box:
    """One that has everything laid where it does not belong."""

    settings: Path
    folder: Path


def ways(text: str) -> Iterator[bytes]:
    """How bytes may hold a text, in lower case."""
    for form in ("NFC", "NFD"):
        one = unicodedata.normalize(form, text)  # type: ignore[arg-type]
        quoted = json.dumps(one)[1:-1]
        for written in (one, quoted, json.dumps(quoted)[1:-1], quote(one, safe=""), quote(one), ascii(one)[1:-1],
                        repr(one.encode())[2:-1]):  # fmt: skip
            yield written.lower().encode()
        for encoding in ("latin-1", "utf-16-le", "utf-16-be"):
            yield one.lower().encode(encoding, "replace")
        data = one.encode()
        yield data.hex().encode()
        for before in range(3):  # what is the same however it falls on base64's groups of three bytes
            begins = -(-before * 4 // 3) if before else 0
            yield base64.b64encode(bytes(before) + data)[begins + (before > 0) : -4].lower()


def lines() -> Iterator[str]:
    for one in PATIENTS:
        yield f"fault: {one}, [{one}], of_{one}_left, {one.upper()} and {unicodedata.normalize('NFD', one)}"
        yield f"payload {json.dumps({'subject': one})} {json.dumps(json.dumps({'subject': one}))}"
        yield f"{one!a} {one.encode()!r} /path?of={quote(one)}&{quote(one, safe='')}"
    yield f"exception:\n  Traceback of {HOLDER}\n  ValueError: {SHORT}: no such"
    for name, secret in SECRETS.items():
        yield f"{name}: {secret}"
        yield f"{name} = {secret}"
        yield json.dumps({name: secret, "other": 1})
        yield json.dumps(json.dumps({name: secret}))
        yield f"run --{name.replace(' ', '-')} {secret}"
    yield f"https://{USER}:{USERS_PASSWORD}@broker.example/x and {USER}:{USERS_PASSWORD}@broker.example"
    yield f"Authorization: Basic {MORE[1]}"
    yield f"-----BEGIN PRIVATE KEY-----\n{MORE[0]}\n-----END PRIVATE KEY-----"
    yield f'CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="{MORE[2]}" auth_failures=1'
    yield f"wlan0: Connected WiFi access point: {MORE[2]} ({MORE[3]})"
    yield f"associated with {MORE[3]}"
    yield "Main process exited, code=exited, status=1/FAILURE; 4711 pins are typed, 99 % of the disk"


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    state = tmp_path / "state"
    session = state / "sessions" / f"of {LEAVING}"
    session.mkdir(parents=True)
    (state / HOLDER).mkdir()
    (state / HOLDER / "x").write_text("x")
    (session / f"{LEAVING}.json").write_text(json.dumps({"subject": RESULT, "repetitions": []}, ensure_ascii=False))
    accepted = {"id": str(UUID(int=1)), "subject": PRESCRIBED, "sha256": "x"}
    departures = [{"subject": LEAVING}, {"subject": SHORT}]
    (state / "accepted.json").write_text(json.dumps({"accepted": accepted, "holder": HOLDER, "departures": departures}))
    outbox = Outbox(state, lambda sequence, payload: ())
    outbox.put(
        "rehabbox/1/s/b/session/x", json.dumps({"subject": WAITING, "pad": "x" * 9000}).encode(), subject=WAITING
    )
    outbox.close()
    (state / "outbox.sqlite.damaged-1").write_bytes(
        b"\0\xff" * ((1 << 19) - 6) + json.dumps({"subject": DAMAGED}).encode() + b"\0"  # across two blocks
    )
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f"[session]\nstate = {json.dumps(str(state))}\nunheard_of = 'unknown-4812'\n"
        f"[fhir]\npatient_system = 'https://{USER}:{USERS_PASSWORD}@hospital.example/{quote(WAITING)}'\n"
        f"[camera]\ndriver = 'acme'\nlens = 'plug-in-7713'\n[imu]\ndriver = 'synthetic'\nkeyring = 'unknown-4812'\n"
        "[wifi]\n" + "".join(f"{json.dumps(name)} = {json.dumps(secret)}\n" for name, secret in SECRETS.items())
    )
    monkeypatch.setenv("REHABBOX_BROKER__PROXY", f"http://{USER}:{USERS_PASSWORD}@proxy.example:3128")
    monkeypatch.setenv("REHABBOX_BROKER__HOST", HOLDER)
    record = Record(tmp_path / "record.json")
    record.end(Verdict("0.2.0", None, f"no {HOLDER}; psk={SECRETS['Wifi-PSK']}"))
    monkeypatch.setattr(bundle, "Record", lambda: record)
    programs = tmp_path / "bin"
    programs.mkdir()
    entries = [{"__REALTIME_TIMESTAMP": "1790000000000000", "_SYSTEMD_UNIT": "rehabbox.service", "PRIORITY": "6",
                "_CMDLINE": f"rehabbox {LEAVING}", "MESSAGE": line} for line in lines()]  # fmt: skip
    entries += [entry | {"MESSAGE": list(entry["MESSAGE"].encode())} for entry in entries]
    (programs / "said").write_text("".join(json.dumps(entry) + "\n" for entry in entries) + "not an entry\n")
    (programs / "plain").write_text("".join(f"{line}\n" for line in lines()))
    for name in ("journalctl", "systemctl", "ip", "timedatectl", "df", "free"):
        program = programs / name
        program.write_text(
            f"#!/bin/sh\ncat {programs}/{'said' if name == 'journalctl' else 'plain'}\ncat {programs}/plain >&2\n"
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return Box(settings, tmp_path)


def test_nothing_of_patients_and_secrets_is_in_any_file_of_the_bundle_however_it_is_written(box: Box) -> None:
    out = box.folder / "bundle.tar.gz"
    names = pack(box.settings, out)
    whole = gzip.decompress(out.read_bytes()).lower()  # the archive's own headers too
    wanted = (*PATIENTS, *SECRETS.values(), USERS_PASSWORD, *MORE)
    assert [one for one in wanted if any(way in whole for way in ways(one))] == []
    with tarfile.open(out) as archive:
        parts = {Path(name).name: archive.extractfile(name).read().decode() for name in archive.getnames()}  # type: ignore[union-attr]
    assert sorted(parts) == sorted(names)
    assert f"ValueError: {SHORT}" not in parts["log.txt"]
    assert "ValueError: [a patient]: no such" in parts["log.txt"]
    for name in (name for name in names if name.endswith(".json")):
        json.loads(parts[name])


def test_what_it_needs_is_still_there(box: Box) -> None:
    pack(box.settings, box.folder / "bundle.tar.gz")
    with tarfile.open(box.folder / "bundle.tar.gz") as archive:
        parts = {Path(name).name: archive.extractfile(name).read().decode() for name in archive.getnames()}  # type: ignore[union-attr]
    assert "2026-09-21T14:13:20.000000Z rehabbox.service info: Main process exited, code=exited, status=1/FAILURE; " \
        "4711 pins are typed, 99 % of the disk" in parts["log.txt"]  # fmt: skip
    settings = json.loads(parts["settings.json"])
    assert settings["imu"] == {"driver": "synthetic", "keyring": "[left out]"}
    assert settings["session"]["state"].endswith("/state")
    assert settings["broker"]["proxy"] == "http://[left out]@proxy.example:3128"
    assert json.loads(parts["update.json"])["version"] == "0.2.0"
    assert parts["state.txt"].startswith(".: ")
    assert "other folders: 1 files" in parts["state.txt"]


def test_an_update_on_trial_is_told(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record(box.folder / "record.json")
    record.begin(Trial("0.1.0", "0.2.0", frozenset({"imu"})))
    pack(box.settings, box.folder / "bundle.tar.gz")
    with tarfile.open(box.folder / "bundle.tar.gz") as archive:
        told = json.loads(archive.extractfile("rehabbox-support/update.json").read())  # type: ignore[union-attr]
    assert (told["on trial"], told["new"], told["faults"]) == (True, "0.2.0", ["imu"])


def test_packing_leaves_the_state_folder_as_it_was(box: Box) -> None:
    """A root's file beside the outbox would keep the daemon's user from it."""
    before = sorted(str(path) for path in (box.folder / "state").rglob("*"))
    pack(box.settings, box.folder / "bundle.tar.gz")
    assert sorted(str(path) for path in (box.folder / "state").rglob("*")) == before
    with sqlite3.connect(box.folder / "state" / "outbox.sqlite") as db:
        assert db.execute("SELECT count(*) FROM outbox").fetchone() == (1,)


def test_a_file_that_goes_while_they_are_counted_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stays").write_text("12345")
    monkeypatch.setattr(Path, "rglob", lambda path, pattern: [path / "stays", path / "gone"])
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    assert bundle._sizes(tmp_path) == ".: 1 files, 5 bytes\n"


@pytest.mark.parametrize("driver", ['["kinect"]', "{ a = 1 }", "5"])
def test_a_driver_that_is_no_name_is_packed_too(tmp_path: Path, driver: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[session]\nstate = "{tmp_path}"\n[camera]\ndriver = {driver}\nserial = "1"\n')
    assert "settings.json" in pack(settings, tmp_path / "bundle.tar.gz")
