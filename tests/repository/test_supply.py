"""What heed is made of: every locked distribution has an allowed licence and a reason, and advisories are looked up."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tools import advisories, dependencies_page, locked, sbom

PINS = locked.read()


@pytest.mark.parametrize(
    "name", sorted({one.name for lock in (locked.LOCK, locked.OTHER_LOCKS[0]) for one in locked.read(lock)})
)
def test_a_licence_is_allowed(name: str) -> None:
    assert locked.parts(locked.licence(name)) <= locked.ALLOWED


def test_a_licence_that_nobody_knows_or_allows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError, match="not installed"):
        locked.licence("no-such-distribution")
    monkeypatch.setattr(locked, "ALLOWED", locked.ALLOWED - {"MPL-2.0"})
    with pytest.raises(LookupError, match="hypothesis says no licence that is allowed"):
        locked.licence("hypothesis")


def test_the_page_is_what_the_lock_and_the_packages_say() -> None:
    assert dependencies_page.PAGE.read_text(encoding="utf-8") == dependencies_page.page(), (
        "make it anew: python -m tools.dependencies_page"
    )
    assert set(dependencies_page.WHY) == {one.name for one in PINS if one.is_direct}


def test_the_bill_of_materials_names_every_pin_and_is_always_the_same() -> None:
    bill = sbom.bill()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    assert json.dumps(bill) == json.dumps(sbom.bill())
    assert "timestamp" not in json.dumps(bill)
    found = {(one["name"], one["version"]): one for one in bill["components"]}
    assert len(found) == len(bill["components"]) == len(PINS)
    for pin in PINS:
        one = found[pin.name, pin.version]
        assert {entry["hashes"][0]["content"] for entry in one["externalReferences"]} == set(pin.hashes)
        assert one["licenses"]
    refs = {one["bom-ref"] for one in [*bill["components"], bill["metadata"]["component"]]}
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert set(needs) == refs
    assert {ref for listed in needs.values() for ref in listed} <= refs
    # Whatever is in the bill, something in it needs.
    assert refs - {ref for listed in needs.values() for ref in listed} == {bill["metadata"]["component"]["bom-ref"]}


def affected(**more: Any) -> dict[str, Any]:
    """One entry of an advisory about the made-up pin."""
    return {"package": {"ecosystem": "PyPI", "name": "Some_Thing"}} | more


def advisory(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "TEST-2026-1", "summary": "It is made up.", "affected": list(entries)} | more


def between(*events: dict[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    return affected(ranges=[{"type": kind, "events": list(events)}])


@pytest.mark.parametrize(
    ("entry", "is_hit"),
    [
        (affected(versions=["1.9", "1.10.0"]), True),  # 1.10.0 is 1.10
        (affected(versions=["1.1"]), False),
        (between({"introduced": "0"}), True),
        (between({"introduced": "0"}, {"fixed": "1.10"}), False),
        (between({"introduced": "0"}, {"fixed": "1.9"}), False),  # 1.9 comes before 1.10, as texts do not
        (between({"introduced": "1.9"}, {"fixed": "1.11"}), True),
        (between({"introduced": "1.11"}), False),
        (between({"introduced": "1.10rc1"}, {"last_affected": "1.10"}), True),
        (between({"introduced": "0"}, {"last_affected": "1.9.post1"}), False),
        (between({"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "1.10"}, {"fixed": "1.10.1"}), True),
        (between({"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "1.10.1"}), False),
        (between({"fixed": "1.11"}, {"introduced": "1.3"}), True),  # in whatever order
        (between({"introduced": "0"}, kind="GIT"), False),
        (affected(package={"ecosystem": "npm", "name": "some-thing"}, versions=["1.10"]), False),
        (affected(package={"ecosystem": "PyPI", "name": "something"}, versions=["1.10"]), False),
    ],
)
def test_a_version_is_affected_as_its_advisory_says(entry: dict[str, Any], is_hit: bool, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(advisory(entry)))
    pin = locked.Locked("some-thing", "1.10", None, (), ())
    assert bool(list(advisories.matches([pin], tmp_path))) == is_hit


def test_the_tool_names_each_match_and_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pin = next(one for one in PINS if one.name == "itsdangerous")
    about = {"package": {"ecosystem": "PyPI", "name": "ItsDangerous"}}
    hit = about | {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}]}
    listed = [
        advisory(hit, aliases=["CVE-2026-0001"]),
        advisory(hit, id="TEST-2026-2", withdrawn="2026-11-01T00:00:00Z"),
        advisory(affected(versions=["1.10"]), id="TEST-2026-3"),
    ]
    (tmp_path / "all.json").write_text(json.dumps(listed))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for one in listed:
            archive.writestr(f"{one['id']}.json", json.dumps(one))
    for path in (tmp_path / "all.json", tmp_path / "all.zip"):
        assert advisories.main([str(path)]) == 1
        said = capsys.readouterr()
        assert said.out == (f"itsdangerous {pin.version}: TEST-2026-1, CVE-2026-0001 (fixed in 999) It is made up.\n")
        assert "2 advisories, 1 matches" in said.err
    (tmp_path / "all.json").write_text(json.dumps(listed[2]))
    assert advisories.main([str(tmp_path / "all.json")]) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no advisory in the OSV format"),
        ("[]", "holds no advisory"),
        ('{"affected": []}', "is no advisory in the OSV format"),
        (
            json.dumps(
                advisory(
                    {
                        "package": {"ecosystem": "PyPI", "name": "duckdb"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "one"}]}],
                    }
                )
            ),
            "Invalid version",
        ),
    ],
)
def test_what_cannot_be_understood_is_no_pass(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.json").write_text(content)
    assert advisories.main([str(tmp_path / "one.json")]) == 2
    assert said in capsys.readouterr().err
    assert advisories.main([str(tmp_path / "none.json")]) == 2
