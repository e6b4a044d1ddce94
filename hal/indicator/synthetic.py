"""The ear of the virtual patient: who does what the box tells them to, in their own manner."""

from __future__ import annotations

import time
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hal.types import Cue, DeviceInfo
from hal.virtual.stage import Answer, Incident, Manner, stage


class SyntheticIndicator:
    """Passes cues on to the virtual patient. It does not simulate a patient who mishears or wanders off."""

    capabilities: ClassVar[tuple[str, ...]] = ("synthetic",)

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

        patient: Annotated[str, Field(min_length=1, description="who hears it; drivers that name the same meet")] = (
            "demo"
        )
        reaction_s: Annotated[float, Field(ge=0, le=10, description="from a cue to the first movement")] = 0.8
        tempo: Annotated[float, Field(ge=0.2, le=5, description="2: twice as fast as this patient usually is")] = 1.0
        amplitude: Annotated[float, Field(gt=0, le=1.2, description="share of this patient's usual range")] = 1.0

        incident: Annotated[Incident, Field(description="what happens in every set")] = "none"
        incident_s: Annotated[float, Field(ge=0, le=600, description="after the set's beginning")] = 3.0
        answers: Annotated[tuple[Answer, ...], Field(description="hands that are raised, question by question")] = ()

    def __init__(self, options: Options) -> None:
        self._stage = stage(options.patient)
        self._manner = Manner(
            options.reaction_s, options.tempo, options.amplitude, options.incident, options.incident_s, options.answers
        )
        self.cues: list[tuple[int, Cue]] = []
        """Every cue since the last `open`, with the host monotonic nanosecond at which it was heard."""

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("synthetic", "the virtual patient's ear", 0.0, synthetic=True)

    def open(self) -> None:
        self.cues.clear()

    def close(self) -> None:
        """Nothing to release: the patient goes on with what they were told."""

    def show(self, cue: Cue) -> None:
        now_ns = time.monotonic_ns()
        self.cues.append((now_ns, cue))
        self._stage.hear(cue, now_ns * 1e-9, self._manner)
