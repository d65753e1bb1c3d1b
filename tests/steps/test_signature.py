"""Signed runs: who signed which, told offline by public keys alone, and every signature that is wrong is named."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.home import Home, source, without_validation

MESSAGES = source("texting", "messages", "inbox/m*.csv")
SIGNED = MESSAGES + '[signature]\nprivate_key = "private/signing.pem"\n'
RUNS, SIGNATURES = "published/runs.jsonl", "published/signatures.txt"


@dataclass(frozen=True)
class Signed:
    """A home of four runs: one unsigned, two signed by the first key, one by the second; and the public keys' files."""

    home: Home
    keys: Path  # first.pub, second.pub and stranger.pub, with first.pem and stranger.pem


def delivered_run(home: Home, number: int) -> None:
    row = f"a{number},sms,+12025550100,2026-0{number}-01T00:00:00Z"
    home.deliver({f"m{number}.csv": f"message_id,channel,contact,sent_at\n{row}\n"})
    home.run()


def new_key(home: Home, keys: Path, name: str) -> None:
    """Put the home's signing key aside, if there is one, and make another; its public half goes to keys/name.pub."""
    said = home.heed("sign-key")
    assert said.code == 0, said.err
    (keys / f"{name}.pub").write_text(said.out)
    shutil.copy(home.path / "private" / "signing.pem", keys / f"{name}.pem")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    keys = tmp_path_factory.mktemp("keys")
    home = Home(tmp_path_factory.mktemp("signed") / "home").configure(MESSAGES)
    private_key = home.path / "private" / "signing.pem"
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        delivered_run(home, 1)
        home.configure(SIGNED)
        new_key(home, keys, "first")
        delivered_run(home, 2)
        delivered_run(home, 3)
        private_key.unlink()
        new_key(home, keys, "second")
        delivered_run(home, 4)
        private_key.rename(keys / "kept.pem")
        new_key(home, keys, "stranger")
        (keys / "kept.pem").rename(private_key)
    return Signed(home, keys)


@pytest.fixture
def signed(whole: Signed, tmp_path: Path) -> Signed:
    """A copy of it to damage."""
    shutil.copytree(whole.home.path, tmp_path / "home")
    return Signed(Home(tmp_path / "home"), whole.keys)


def verified(signed: Signed, *names: str) -> tuple[int, list[str], Any]:
    """The exit code of `heed verify` with some public keys, what it says is wrong, and what it tells of each run."""
    options = [option for name in names for option in ("--public-key", str(signed.keys / f"{name}.pub"))]
    said = signed.home.heed("verify", "--json", *options)
    assert said.code in (0, 11), said.err
    told = said.json()
    wrong = [f"{one['path']} {one['problem']}" for one in told["problems"]]
    return said.code, wrong, [(one["status"], one["is_given"]) for one in told["signatures"]]


def test_each_run_is_told_with_its_key(signed: Signed) -> None:
    unsigned, first, second = ("unsigned", False), ("signed", True), ("signed", True)
    assert verified(signed, "first", "second") == (0, [], [unsigned, first, first, second])
    said = signed.home.heed("verify", *[f"--public-key={signed.keys / name}.pub" for name in ("first", "second")])
    assert "Run 1: unsigned." in said.out
    assert "Runs 2 to 3: signed by the key " in said.out
    assert f"({signed.keys / 'second.pub'})" in said.out


def test_a_later_signature_vouches_for_what_came_before(signed: Signed) -> None:
    code, wrong, told = verified(signed, "second")
    assert (code, wrong) == (0, [])
    assert told[1] == ("signed", False)


def test_what_came_after_the_last_run_of_a_given_key_is_vouched_for_by_nobody(signed: Signed) -> None:
    code, wrong, told = verified(signed, "first")
    assert (code, told[1], told[3]) == (11, ("signed", True), ("signed", False))
    [problem] = wrong
    assert problem.startswith(f"{RUNS}:4 is signed by the key ")
    assert "was not given" in problem


def test_a_home_that_nobody_signed_is_refused_where_a_signature_is_asked_for(signed: Signed) -> None:
    (signed.home.path / SIGNATURES).unlink()
    path = signed.home.path / RUNS
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    code, wrong, _ = verified(signed, "first")
    assert code == 11
    assert f"{RUNS}:1 is unsigned, and no later run is signed by a key that was given" in wrong


def test_any_changed_byte_of_a_signature_is_found_without_any_key(signed: Signed) -> None:
    draw = random.Random(20261122)
    path = signed.home.path / SIGNATURES
    data = path.read_bytes()
    for place in [*range(0, len(data), 17), len(data) - 1]:
        changed = bytearray(data)
        changed[place] ^= draw.randrange(1, 256)
        path.write_bytes(changed)
        code, wrong, _ = verified(signed)
        # A line's end that becomes part of the next line spoils both.
        line = data[:place].count(b"\n") + 2
        assert code == 11
        assert any(problem.startswith(f"{RUNS}:{line} ") and "signature" in problem for problem in wrong), (
            place,
            wrong,
        )


def test_a_stripped_signature_is_missed(signed: Signed) -> None:
    path = signed.home.path / SIGNATURES
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    code, [problem], told = verified(signed)
    assert (code, told[2]) == (11, ("missing", False))
    assert problem.startswith(f"{RUNS}:3 names the key ")
    assert problem.endswith("but its signature is missing")


def test_swapped_signatures_are_forged(signed: Signed) -> None:
    path = signed.home.path / SIGNATURES
    (one, first), (other, second), last = [line.split() for line in path.read_text().splitlines()]
    path.write_text(f"{one} {second}\n{other} {first}\n{' '.join(last)}\n")
    code, wrong, told = verified(signed, "first", "second")
    assert (code, [status for status, _ in told]) == (11, ["unsigned", "forged", "forged", "signed"])
    assert [problem.split()[0] for problem in wrong] == [f"{RUNS}:2", f"{RUNS}:3"]


def test_a_signature_by_another_key_is_forged(signed: Signed) -> None:
    from pipelines.signature import read_signer

    path = signed.home.path / SIGNATURES
    whole = path.read_text().splitlines(keepends=True)
    head = whole[-1].split()[0]
    path.write_text("".join(whole[:-1]))
    read_signer(signed.keys / "stranger.pem").sign(signed.home.path / "published", head)
    code, wrong, told = verified(signed, "first", "second", "stranger")
    assert (code, told[3][0]) == (11, "forged")
    assert any(problem.startswith(f"{RUNS}:4 has a signature that is not of this line") for problem in wrong)


def test_a_record_that_was_written_anew_and_signed_by_a_stranger_is_told(signed: Signed) -> None:
    """Everything is changed and chained anew, by somebody without the keys: only the given keys tell."""
    from pipelines import chain
    from pipelines.publish import pointer_text
    from pipelines.signature import read_signer

    stranger = read_signer(signed.keys / "stranger.pem")
    published = signed.home.path / "published"
    entries = [json.loads(line) for line in (published / "runs.jsonl").read_text().splitlines()]
    (published / "runs.jsonl").unlink()
    (published / "signatures.txt").unlink()
    for entry in entries:
        changed = entry | {"violation_count": 0, "signed_by": stranger.public_key}
        head = chain.append(published / "runs.jsonl", changed, lambda head: stranger.sign(published, head))
    pointer = json.loads((published / "CURRENT.json").read_text())
    (published / "CURRENT.json").write_text(pointer_text(pointer | {"head": head}))
    assert verified(signed)[:2] == (0, [])
    code, wrong, _ = verified(signed, "first", "second")
    assert (code, len(wrong)) == (11, 4)


def test_a_run_that_dies_between_signature_and_line_leaves_a_whole_home(signed: Signed) -> None:
    from pipelines.signature import read_signer

    read_signer(signed.home.path / "private" / "signing.pem").sign(signed.home.path / "published", "0" * 64)
    with (signed.home.path / SIGNATURES).open("a") as file:
        file.write("0123")  # and one that dies while it writes it
    read_signer(signed.home.path / "private" / "signing.pem").sign(signed.home.path / "published", "1" * 64)
    assert verified(signed, "second")[:2] == (0, [])


def test_the_key_is_its_owner_s_alone(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    path = signed.home.path / "private" / "signing.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    said = signed.home.heed("sign-key")
    assert (said.code, said.out, path.read_bytes()) == (0, (signed.keys / "second.pub").read_text(), before)
    path.chmod(0o640)
    for verb in ("run", "sign-key"):
        said = signed.home.heed(verb)
        assert (said.code, said.err) == (78, f"heed: {path} can be read by others than its owner. chmod 600 {path}\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist. Make the key that signs runs: heed sign-key"),
        ("no key", "is no private key in PEM without a passphrase."),
    ],
)
def test_without_its_key_a_home_that_signs_does_not_run(signed: Signed, content: str | None, said: str) -> None:
    path = signed.home.path / "private" / "signing.pem"
    path.unlink()
    if content:
        path.write_text(content)
        path.chmod(0o600)
    before = (signed.home.path / RUNS).read_bytes()
    ran = signed.home.heed("run")
    assert (ran.code, said in ran.err) == (78, True), ran.err
    assert (signed.home.path / RUNS).read_bytes() == before


def test_a_file_that_is_no_public_key_is_refused(signed: Signed) -> None:
    said = signed.home.heed("verify", "--public-key", str(signed.keys / "first.pem"))
    assert (said.code, "is no public key in PEM" in said.err) == (78, True)
    said = signed.home.heed("verify", "--public-key", str(signed.keys / "none.pub"))
    assert (said.code, "cannot be read" in said.err) == (78, True)


def test_the_key_s_place_is_said_to_who_has_not_configured_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").configure(MESSAGES)
    said = home.heed("sign-key")
    assert said.code == 0
    (tmp_path / "signing.pub").write_text(said.out)
    refused = home.heed("verify", "--public-key", str(tmp_path / "signing.pub"))
    assert (refused.code, "published/runs.jsonl holds no run" in refused.out) == (11, True)
    assert said.out.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert "signs nothing yet" in said.err
