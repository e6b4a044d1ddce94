"""Speaks `config/prompts` into WAV files, by espeak-ng. Own recordings of the same names may take their place."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
MOST_TIMES = 30
"""Repetitions up to this are said as a number."""
WORDS_A_MINUTE = 140
"""Slower than people talk: many patients are old, and hear badly (ours)."""

_HELP = """Makes build/prompts/<language>/*.wav from config/prompts/<language>.toml with espeak-ng (Debian: apt install
espeak-ng). A key is a file's name; the variants of a list become <key>.1.wav, <key>.2.wav ...

Example:
  tools/prompts
  tools/prompts --language de --out /srv/prompts
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        "tools/prompts", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--language", help="only this one; default: all there are")
    parser.add_argument("--out", type=Path, default=PROJECT / "build" / "prompts", help="default: build/prompts")
    options = parser.parse_args()
    if shutil.which("espeak-ng") is None:
        print("tools/prompts: espeak-ng is not installed; on Debian: apt install espeak-ng", file=sys.stderr)
        return 2
    source = PROJECT / "config" / "prompts"
    languages = sorted(file.stem for file in source.glob("*.toml"))
    if options.language not in (None, *languages):
        print(f"tools/prompts: no language {options.language!r}; there are {', '.join(languages)}", file=sys.stderr)
        return 2
    for language in [options.language] if options.language else languages:
        texts = texts_of(source / f"{language}.toml")
        count = speak(texts, language, options.out / language)
        print(f"{options.out / language}: {count} files")
    return 0


def texts_of(file: Path) -> dict[str, str]:
    """File name without `.wav` -> text: variants numbered, `times` for every number that has no text of its own."""
    texts: dict[str, str] = {}
    for key, value in tomllib.loads(file.read_text("utf-8")).items():
        if key == "times":
            texts = {f"times-{count}": value.format(count=count) for count in range(1, MOST_TIMES + 1)} | texts
        elif isinstance(value, list):
            texts |= {f"{key}.{number}": text for number, text in enumerate(value, 1)}
        else:
            texts[key] = value
    return texts


def speak(texts: dict[str, str], language: str, folder: Path) -> int:
    """The folder holds exactly these afterwards; a file is whole or not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.wav"):
        if old.stem not in texts:
            old.unlink()
    for name, text in texts.items():
        part = folder / f"{name}.part"
        command = ["espeak-ng", "-v", language, "-s", str(WORDS_A_MINUTE), "-w", str(part), "--", text]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        part.replace(folder / f"{name}.wav")
    return len(texts)


if __name__ == "__main__":
    sys.exit(main())
