"""A real mosquitto for the demo and the tests: own folder, free port, TLS 1.3, client certificates, rules by name."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from appliance.errors import BrokerError
from appliance.hospital.authority import LIFE, Authority
from appliance.hospital.broker_files import mosquitto_conf, rules
from appliance.hospital.free_port import free_port
from appliance.hospital.settings import BrokerSettings

START_S = 10.0
STOP_S = 5.0
PORTS_TRIED = 5


class ThrowawayBroker:
    """A context manager; within it the broker runs. It may be stopped or killed and started again on its port.

    The user `hospital` reads every box's topics and writes prescriptions, references and commands; any other name
    is a box, which writes what it has to say and reads what is for it. Raises `BrokerError`. life: of its certificates.
    """

    def __init__(self, folder: Path, site: str = "demo", life: timedelta = LIFE) -> None:
        self._program = _mosquitto()
        self.folder = folder
        self._site = site
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.authority = Authority(folder, life)
        self.authority.server(("localhost",), ("127.0.0.1",))
        (folder / "acl").write_text(rules((site,), [("hospital", "prescriber")]))
        (folder / "acl").chmod(0o600)

    def settings_for(self, name: str) -> BrokerSettings:
        """With a new certificate for a box, or for `hospital`."""
        files = self.authority.client(name)
        return BrokerSettings(
            host="localhost",
            port=self.port,
            ca=self.authority.certificate,
            certificate=files.certificate,
            key=files.key,
            site=self._site,
            box=name,
            spread_s=0.5,
        )

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        if self._process is None:
            raise BrokerError("the broker is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        for _ in range(PORTS_TRIED):
            self.port = free_port()
            try:
                self.start()
            except _PortTakenError:
                continue
            return self
        raise BrokerError(f"mosquitto found none of {PORTS_TRIED} ports free on 127.0.0.1; try again")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when it listens."""
        config, log = self.folder / "mosquitto.conf", self.folder / "mosquitto.log"
        config.write_text(
            mosquitto_conf(
                folder=self.folder,
                certificate=self.folder / "localhost.pem",
                key=self.folder / "localhost.key",
                state=self.folder,
                port=self.port,
                address="127.0.0.1",
                user="root" if os.geteuid() == 0 else "",  # else it becomes one who may not read the folder
                crl=None,
            )
        )
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [self._program, "-c", str(config)], stdin=subprocess.DEVNULL, stderr=stderr
            )
        try:
            self._wait_until_listening(self._process, log)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Ends it as an administrator would: it keeps retained messages and sessions for the next start."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _wait_until_listening(self, process: subprocess.Popen[bytes], log: Path) -> None:
        """By its own log, for on a port that somebody else took a connection would succeed as well."""
        deadline = monotonic() + START_S
        while b" running" not in log.read_bytes():
            if process.poll() is not None:
                said = log.read_text("utf-8", "replace").strip()
                if "Address already in use" in said:
                    raise _PortTakenError(f"port {self.port} is taken")
                raise BrokerError(f"mosquitto did not start: {'; '.join(said.splitlines()) or 'it said nothing'}")
            if monotonic() > deadline:
                raise BrokerError(f"mosquitto did not start within {START_S:.0f} s; its log is {log}")
            sleep(0.02)


class _PortTakenError(BrokerError):
    """Somebody else took the port between our choosing it and mosquitto's opening it."""


def _mosquitto() -> str:
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise BrokerError("mosquitto is not installed; on Debian: apt install mosquitto")
    return program
