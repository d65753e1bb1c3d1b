"""Writes what heed is made of as a CycloneDX 1.6 bill of materials: the same lock gives the same bytes.

python -m tools.sbom sbom.json
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

from pipelines import __version__
from tools import locked


def bill() -> dict[str, Any]:
    """The bill: heed, every locked distribution with its licence and hashes, and who depends on whom."""
    pins = sorted(locked.read(), key=lambda one: (one.name, one.version))
    purposes = locked.purposes(pins)
    heed = {
        "type": "application",
        "bom-ref": f"pkg:pypi/heed@{__version__}",
        "name": "heed",
        "version": __version__,
        "purl": f"pkg:pypi/heed@{__version__}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    components = [_component(one, purposes[one.name]) for one in pins]
    # An unchanged lock has the same number for ever.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([heed, components], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": heed},
        "components": components,
        "dependencies": [
            {"ref": heed["bom-ref"], "dependsOn": [one.purl for one in pins if one.is_direct]},
            *(
                {"ref": one.purl, "dependsOn": [other.purl for other in pins if one.name in other.parents]}
                for one in pins
            ),
        ],
    }


def _component(one: locked.Locked, purpose: str) -> dict[str, Any]:
    expression = locked.licence(one.name)
    is_one = len(locked.parts(expression)) == 1
    return {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        "version": one.version,
        "purl": one.purl,
        "scope": "required" if purpose == "running" else "optional" if purpose != "development" else "excluded",
        "licenses": [{"license": {"id": expression}}] if is_one else [{"expression": expression}],
        # The wheels and the source of a distribution are different files: each is a distribution of its own.
        "externalReferences": [
            {"type": "distribution", "url": one.purl, "hashes": [{"alg": "SHA-256", "content": digest}]}
            for digest in sorted(one.hashes)
        ],
        "properties": [
            {"name": "heed:purpose", "value": purpose},
            *([{"name": "heed:marker", "value": one.marker}] if one.marker else []),
        ],
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(bill(), indent=1) + "\n", encoding="utf-8")
