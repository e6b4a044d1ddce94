"""The software bill of materials, CycloneDX 1.5 (ECMA-424) as JSON: the same environment gives the same bytes."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5


def bill_of_materials(packages: Path, lock: Path, version: str) -> dict[str, Any]:
    """Of what is installed in the folder `packages`; lock: where each one's hashes are kept."""
    hashes = _hashes(lock)
    found = {one.metadata["Name"]: one for one in distributions(path=[str(packages)])}
    own = found.pop("rehabbox", None)
    parts = [_component(found[name], hashes) for name in sorted(found, key=str.lower)]
    name = own.metadata["Name"] if own is not None else "rehabbox"
    product = {"type": "application", "bom-ref": f"{name}@{version}", "name": name, "version": version}
    product["licenses"] = [{"license": {"id": "Apache-2.0"}}]  # type: ignore[assignment]
    identity = "\n".join([f"rehabbox {version}", *(f"{part['bom-ref']}" for part in parts)])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, identity)}",
        "version": 1,
        "metadata": {"component": product},
        "components": parts,
        "dependencies": [{"ref": product["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]}],
    }


def _component(one: Distribution, hashes: dict[str, list[str]]) -> dict[str, Any]:
    name = _normal(one.metadata["Name"])
    purl = f"pkg:pypi/{name}@{one.version}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": one.metadata["Name"],
        "version": one.version,
        "purl": purl,
    }
    if licence := _licence(one):
        component["licenses"] = [{"license": {"name": licence}}]
    if name in hashes:  # of every archive that the lock admits, sources and wheels
        component["externalReferences"] = [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{name}/{one.version}/",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in sorted(hashes[name])],
            }
        ]
    return component


def _licence(one: Distribution) -> str:
    """What the distribution says of itself, in a few words."""
    said = one.metadata.get("License-Expression") or ""
    classified = [line.split(" :: ")[-1] for line in one.metadata.get_all("Classifier") or [] if "License" in line]
    return said or " and ".join(classified) or (one.metadata.get("License") or "").strip().split("\n")[0][:80]


def _hashes(lock: Path) -> dict[str, list[str]]:
    entries = re.split(r"\n(?=\S)", lock.read_text("utf-8"))
    return {
        _normal(re.split(r"[=\s;\[]", entry, maxsplit=1)[0]): re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)
        for entry in entries
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
