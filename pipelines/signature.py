"""Ed25519 signatures of published runs: a public key tells, offline, which runs the owner of its private key published.

A run's line in runs.jsonl names the public key; the signature of the line's digest stands beside, in signatures.txt.
Digest and lines are chained, so a signature vouches for its run and for everything before it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import chain
from pipelines.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: One line per signature: the digest of a run's line, a space, the signature, both in hexadecimal.
NAME = "signatures.txt"
#: What a run's line calls the public key (its 32 bytes in hexadecimal) that its signature fits.
SIGNED_BY = "signed_by"

_LINE = re.compile(r"([0-9a-f]{64}) ([0-9a-f]{128})")
#: Digits of a public key that tell it from others in a sentence.
_SHORT = 16


@dataclass(frozen=True)
class Signer:
    """A private key, and its public key in hexadecimal."""

    public_key: str
    private: Ed25519PrivateKey

    def sign(self, published: Path, head: str) -> None:
        """Put the signature of a run's line beside the runs, on disk when this returns."""
        made = self.private.sign(_said(head)).hex()
        with (published / NAME).open("a", encoding="ascii") as file:
            # A crash may have torn the line before: it has no meaning, and must not swallow this one.
            file.write(f"{'' if _ends_whole(published / NAME) else chr(10)}{head} {made}\n")
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True)
class SignedRun:
    """One line of the runs: its number, its run, the public key it names, and what became of its signature.

    `status` is signed, unsigned (it names no key), missing (it names a key and there is no signature) or forged (the
    signature is another line's, another key's, or damaged). `is_given`: whether the key is one that was asked for.
    """

    line: int
    run_id: str | None
    head: str
    public_key: str | None
    status: str
    is_given: bool


def _said(head: str) -> bytes:
    """What is signed for a run: never the bytes of anything else that the same key might sign."""
    return f"heed run {head}".encode()


def _ends_whole(path: Path) -> bool:
    data = path.read_bytes() if path.exists() else b""
    return not data or data.endswith(b"\n")


def read_signer(path: Path) -> Signer:
    """The private key of a PEM file; raises ConfigurationError where there is none that only its owner can read."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path} does not exist.", "Make the key that signs runs: heed sign-key") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if mode & 0o077:
        raise ConfigurationError(f"{path} can be read by others than its owner.", f"chmod 600 {path}")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is no private key in PEM without a passphrase.", "Make another one: heed sign-key"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} is no Ed25519 key.", "Make another one: heed sign-key")
    return Signer(key.public_key().public_bytes_raw().hex(), key)


def make_key(path: Path) -> str:
    """The public half, as PEM, of the key at `path`, which is made where there is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    if not path.exists():
        made = Ed25519PrivateKey.generate()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
    public = read_signer(path).private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_public_key(path: Path) -> str:
    """The Ed25519 public key of a PEM file, in hexadecimal; raises ConfigurationError where it holds none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", "Name a public key's file.") from error
    except ValueError as error:
        raise ConfigurationError(
            f"{path} is no public key in PEM.", "Write one: heed -C HOME sign-key > signing.pub"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError(f"{path} is no Ed25519 public key.", "Write one: heed -C HOME sign-key > signing.pub")
    return key.public_bytes_raw().hex()


def runs(published: Path, lines: Iterable[chain.Line], given: Iterable[str] = ()) -> Iterator[SignedRun]:
    """What became of the signature of each line of the runs; `given` are public keys in hexadecimal."""
    signatures = _signatures(published)
    keys = set(given)
    for line in lines:
        entry = line.entry or {}
        key = entry.get(SIGNED_BY)
        if key is None:
            status = "unsigned"
        elif line.digest not in signatures:
            status = "missing"
        else:
            status = "signed" if _fits(str(key), line.digest, signatures[line.digest]) else "forged"
        yield SignedRun(line.number, entry.get("run_id"), line.digest, key, status, key in keys)


def _signatures(published: Path) -> dict[str, str]:
    """Every signature by the digest it is of; lines that are none are left out, so that theirs is missing."""
    path = published / NAME
    text = path.read_bytes().decode("latin-1") if path.exists() else ""
    # The last element has no end of line: it was never committed.
    return {match[1]: match[2] for line in text.split("\n")[:-1] if (match := _LINE.fullmatch(line))}


def _fits(public_key: str, head: str, signature: str) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), _said(head))
    except (InvalidSignature, ValueError):
        return False
    return True


def problems(found: list[SignedRun], *, must_be_signed: bool) -> Iterator[tuple[int, str]]:
    """The number of each line of the runs whose signature is wrong, and what is wrong with it.

    With `must_be_signed` the runs after the last one that a given key signed are wrong too: nothing vouches for them.
    """
    vouched = max((one.line for one in found if one.status == "signed" and one.is_given), default=0)
    for one in found:
        key = (one.public_key or "")[:_SHORT]
        if one.status == "missing":
            yield one.line, f"names the key {key}, but its signature is missing"
        elif one.status == "forged":
            yield one.line, f"has a signature that is not of this line by the key {key}: it is forged or damaged"
        elif must_be_signed and one.line > vouched:
            why = "is unsigned" if one.status == "unsigned" else f"is signed by the key {key}, which was not given"
            yield one.line, f"{why}, and no later run is signed by a key that was given"


def in_words(found: list[SignedRun], names: dict[str, str]) -> Iterator[str]:
    """Which runs are signed by which key, a sentence for each stretch of them; `names` says what a key's file is."""
    for (status, key), stretch in groupby(found, key=lambda one: (one.status, one.public_key)):
        numbers = [one.line for one in stretch]
        which = f"Run {numbers[0]}" if len(numbers) == 1 else f"Runs {numbers[0]} to {numbers[-1]}"
        by = f" by the key {key[:_SHORT]}" if key else ""
        of = f" ({names[key]})" if key in names else " (not given)" if key and names else ""
        said = {"signed": f"signed{by}{of}", "unsigned": "unsigned"}.get(status, f"{status} signature{by}{of}")
        yield f"{which}: {said}."
