"""A running console, and what the tests ask of it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from appliance.hospital.client import HospitalClient

TOKEN = "a-token-that-nobody-guesses"


@dataclass
class Console:
    """url: where it is served. hospital: publishes as boxes would."""

    url: str
    process: subprocess.Popen[str]
    hospital: HospitalClient

    def publish(self, topic: str, payload: dict[str, Any] | None, *, retain: bool = False) -> None:
        self.hospital.publish(f"rehabbox/1/{topic}", json.dumps(payload).encode() if payload else b"", retain=retain)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and body."""
        return self._ask("GET", path, headers)

    def post(self, path: str, **headers: str) -> tuple[int, str]:
        return self._ask("POST", path, headers)

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        try:
            with urlopen(Request(self.url + path, headers=headers, method=method), timeout=30) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
