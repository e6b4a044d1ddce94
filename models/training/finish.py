"""The last step: figures from the int8 files, constants, and what is shipped: network, description, card.

    python -m models.training.finish [--quick] EXAMPLES FOLDER

Runs in the box's own environment. With --quick the files stay in FOLDER.
"""

from __future__ import annotations

import argparse
import json
from hashlib import sha256
from pathlib import Path

from appliance.exercises import load_exercises
from appliance.quality.levels import read_distribution
from appliance.quality.model_file import ModelFile, models_dir, read_model
from appliance.quality.relative import CHANNELS, FEATURES
from appliance.recording.disk import write_whole
from models.training.card import card_of
from models.training.examples import Examples
from models.training.figures import costs, figures
from models.training.finerehab_figures import finerehab_figures
from models.training.folds import SHIPPED, folds_named
from models.training.outcomes import Outcomes, chosen, run_fold, standardisations
from models.training.recipe import CLIP

NAME = "rehabbox-quality"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("examples", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    examples = Examples.load(options.examples)
    trained = [fold for fold in folds_named("all", examples) if (options.folder / f"{fold.name}.tflite").exists()]
    outcomes = {fold.name: run_fold(fold, examples, options.folder) for fold in trained}
    persons = [each for name, each in outcomes.items() if name.startswith("persons")]
    movements = [each for name, each in outcomes.items() if name.startswith("movement")]
    shipped = outcomes[SHIPPED.name]
    network = (options.folder / f"{SHIPPED.name}.tflite").read_bytes()
    description = _described(network, options.folder, persons or [shipped])
    fifths, _ = read_distribution(options.examples.with_name("levels.json"))
    found = [
        *figures(shipped, persons, movements, examples, fifths),
        *finerehab_figures(persons, examples, fifths),
        *costs(network, shipped),
    ]
    card = card_of(description, network, examples, found)
    files = {
        "quality.tflite": network,
        "quality.json": (json.dumps(description.model_dump(), indent=1) + "\n").encode(),
        "levels.json": options.examples.with_name("levels.json").read_bytes(),
        "MODEL_CARD.md": card.encode(),
    }
    _write(options.folder, files)
    read_model(options.folder)  # what cannot be read replaces nothing
    if not options.quick:
        _write(models_dir(), files)
    print(card)  # noqa: T201


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        write_whole(folder / name, content)


def _described(network: bytes, folder: Path, held_out: list[Outcomes]) -> ModelFile:
    sequence, vector = standardisations(folder, SHIPPED)
    calibration, limits = chosen(held_out)
    numbered = sorted((e.number, e.id) for e in load_exercises().values() if e.number)
    constants = "".join(part.model_dump_json() for part in (sequence, vector, calibration, limits))
    return ModelFile(
        version=f"{NAME} {sha256(network + constants.encode()).hexdigest()[:12]}",
        sha256=sha256(network).hexdigest(),
        channels=CHANNELS,
        features=FEATURES,
        clip=CLIP,
        sequence=sequence,
        vector=vector,
        calibration=calibration,
        limits=limits,
        movements=tuple(name for _, name in numbered),
    )


if __name__ == "__main__":
    main()
