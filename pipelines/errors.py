"""One exception class per cause a user can repair, each with its exit code.

An error is one sentence saying what is wrong and where, followed by what to do next.
"""

from __future__ import annotations

#: How a run may end that did what it should.
SUCCESSES = (0, 10)


class HeedError(Exception):
    """Base of every error a user can repair: `what` happened and the `remedy`; printed as one line."""

    exit_code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class UsageError(HeedError):
    """The command line asks for something that does not exist."""

    exit_code = 64


class ConfigurationError(HeedError):
    """heed.toml or the environment is wrong."""

    exit_code = 78


class UnreadableInputError(HeedError):
    """A delivered file cannot be read as what its source says it is: nothing of it is loaded."""

    exit_code = 11


class ContactKeyCollisionError(HeedError):
    """Two addresses got the same contact_key: loading stops rather than merging two people."""

    exit_code = 11


class AccountingError(HeedError):
    """read = accepted + duplicate + quarantined does not hold: rows were lost, nothing is committed."""

    exit_code = 11


class DamagedHistoryError(HeedError):
    """A part named by the ledger is missing or is not what was written."""

    exit_code = 11


class NewerFormatError(HeedError):
    """A later version of heed wrote to this home: this one would misread it."""

    exit_code = 78

    def __init__(self, where: object) -> None:
        super().__init__(
            f"{where} was written by a newer version of heed than this one.",
            "Install that version, or restore the home from a backup made before the upgrade; nothing was changed.",
        )


class DamagedSnapshotError(HeedError):
    """A snapshot is not what was published."""

    exit_code = 11


class NotWholeError(HeedError):
    """Something in the home is not what was written."""

    exit_code = 11


class BeyondRepairError(HeedError):
    """Something is damaged that cannot be made from what is left."""

    exit_code = 11


class ValidationFailedError(HeedError):
    """The data are not fit to use, or two independent computations disagree: nothing is published."""

    exit_code = 11


class LockedError(HeedError):
    """Another run holds the home's lock."""

    exit_code = 75


class UnhealthyError(HeedError):
    """The last run failed, or what is published is too old, unreadable or not there."""

    exit_code = 12


class NoSnapshotError(HeedError):
    """Nothing has been published in this home yet."""

    exit_code = 78


class ClusterError(HeedError):
    """The Spark cluster cannot be reached, gives no executor, or lost all of them."""

    exit_code = 1


class EngineError(HeedError):
    """A query failed; carries the relation being built and its SQL."""

    exit_code = 1

    def __init__(self, message: str, relation: str = "", sql: str = "") -> None:
        super().__init__(message)
        self.relation = relation
        self.sql = sql

    @property
    def blames_machine(self) -> bool:
        """Whether memory or disk failed, which says nothing about the data."""
        first = self.what.splitlines()[0] if self.what else ""
        no_room = first.startswith("IO Error") and "No space left" in first
        return no_room or first.startswith("Out of Memory Error") or "Could not write file" in first

    @property
    def place(self) -> str:
        """What was being built and, where the machine and not the data may be to blame, why it failed."""
        first = self.what.splitlines()[0] if self.what else ""
        why = f": {first}" if self.blames_machine or first.startswith("IO Error") else ""
        return f"the engine failed{f' while building {self.relation}' if self.relation else ''}{why}"

    def __str__(self) -> str:
        return f"{self.place}\n{self.what}\n{self.sql}".rstrip()
