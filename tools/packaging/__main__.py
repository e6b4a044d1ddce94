"""Builds the box's Debian package: the locked environment, the software, its units, its configuration, its SBOM."""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path

from environment import AMD64, ARM64, Environment, PackagingError
from package import build_package
from tree import lay_out

PROJECT = Path(__file__).resolve().parents[2]

_HELP = """Builds build/package/rehabbox_<version>_amd64.deb, which installs without a network.

The environment of requirements.lock is downloaded, checked against its hashes and compiled once; a later call with the
same lock packs the software anew in a minute. For arm64 the tree is laid out with the wheels there are, and what must
be built on such a machine is listed; a package is made where nothing is missing.

Example:
  tools/package
  tools/package --arch arm64
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        "tools/package", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arch", choices=(AMD64, ARM64), default=AMD64)
    parser.add_argument("--version", help="of the package; default: that of pyproject.toml")
    parser.add_argument("--out", type=Path, default=PROJECT / "build" / "package", help="default: build/package")
    parser.add_argument("--level", type=int, default=9, help="of compression by zstd, 1 (quick) to 19 (small)")
    options = parser.parse_args()
    version = options.version or tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    try:
        environment = Environment(PROJECT, options.out / options.arch, options.arch)
        missing = environment.prepare()
        lay_out(PROJECT, environment, version)
        if missing:
            print(f"{environment.root} is laid out; to be built on such a machine: {', '.join(missing)}")
            return 1
        print(build_package(environment.root, options.out, version, options.arch, options.level))
    except PackagingError as error:
        print(f"tools/package: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
