"""Topic names: `rehabbox/1/<site>/<box>/...`; the major version is in the topic."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "rehabbox/1"


@dataclass(frozen=True, slots=True)
class Topics:
    """One box's topics. `Topics("+", "+").result("+")` is the filter for every box's results."""

    site: str
    box: str

    def _of(self, kind: str) -> str:
        return f"{PREFIX}/{self.site}/{self.box}/{kind}"

    @property
    def status(self) -> str:
        return self._of("status")

    @property
    def health(self) -> str:
        return self._of("health")

    @property
    def prescription(self) -> str:
        return self._of("prescription")

    def reference(self, digest: str) -> str:
        return self._of(f"reference/{digest}")

    def command(self, name: str) -> str:
        return self._of(f"command/{name}")

    def answer(self, name: str) -> str:
        return self._of(f"answer/{name}")

    def alert(self, code: str) -> str:
        return self._of(f"alert/{code}")

    def session(self, session_id: str) -> str:
        return self._of(f"session/{session_id}")

    def result(self, exercise: str) -> str:
        return self._of(f"result/{exercise}")

    def fhir(self, exercise: str) -> str:
        return self._of(f"fhir/{exercise}")


@dataclass(frozen=True, slots=True)
class Address:
    """A topic, taken apart. `name` is the exercise, alert code or session id; empty where the kind says it all."""

    site: str
    box: str
    kind: str
    name: str


def address_of(topic: str) -> Address | None:
    """Whose topic it is and of what kind; None for a topic that is not one of ours."""
    levels = topic.split("/")
    if "/".join(levels[:2]) != PREFIX or len(levels) not in (5, 6) or "" in levels:
        return None
    site, box, kind, *name = levels[2:]
    return Address(site, box, kind, name[0] if name else "")
