"""The words in which expectations are declared: each has a name, a kind and a sentence for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet
from great_expectations.expectations.core.expect_column_values_to_not_be_null import ExpectColumnValuesToNotBeNull
from great_expectations.expectations.expectation import BatchExpectation, Expectation

from pipelines import sqlfiles

Kind = Literal["fitness", "invariant", "key"]

#: No provider's log reaches further back: an older instant was misread.
EARLIEST_PLAUSIBLE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Declaration:
    """One expectation: its stable name, its kind, what it says in plain words, and how it is computed.

    `checked` is a query for the number of rows it looks at; empty means every row of its relation.
    """

    name: str
    kind: Kind
    description: str
    expectation: Expectation
    checked: str = ""


class ExpectNoOffenders(BatchExpectation):
    """Fails when its query returns a row, and counts the rows inside the database.

    Great Expectations' own UnexpectedRowsExpectation runs its query twice and fetches up to 200 of the rows. This one
    asks for the count alone: half the time, and no row ever leaves the database.
    """

    unexpected_rows_query: str

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)
    success_keys: ClassVar[tuple[str, ...]] = ("unexpected_rows_query",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        count = metrics["unexpected_rows_query.row_count"]
        return {"success": count == 0, "result": {"unexpected_count": count}}


def no_offenders(name: str, kind: Kind, description: str) -> Declaration:
    """The query sql/checks/<name>.sql returns no row."""
    query = sqlfiles.read(f"checks.{name}").text
    # Great Expectations reads braces as placeholders.
    query = query.replace("{", "{{").replace("}", "}}")
    return Declaration(name, kind, description, ExpectNoOffenders(unexpected_rows_query=query))


def columns_present(subject: str, columns: Iterable[str]) -> list[Declaration]:
    """`<subject>_<column>_is_present` for each column: no row lacks it."""
    return [
        Declaration(
            f"{subject}_{column}_is_present",
            "fitness",
            f"No row lacks its {column}.",
            ExpectColumnValuesToNotBeNull(column=column),
        )
        for column in columns
    ]


def column_allowed(subject: str, column: str, words: Iterable[str]) -> Declaration:
    """`<subject>_<column>_is_allowed`: every value is one of our words."""
    allowed = list(words)
    return Declaration(
        f"{subject}_{column}_is_allowed",
        "fitness",
        f"Every {column} is one of: {', '.join(allowed)}.",
        ExpectColumnValuesToBeInSet(column=column, value_set=allowed),
    )


def column_true(name: str, kind: Kind, description: str, column: str, *, checked: str) -> Declaration:
    """No row says false in `column`; `checked` counts what those rows were taken from."""
    return Declaration(name, kind, description, ExpectColumnValuesToBeInSet(column=column, value_set=[True]), checked)


def instant_plausible(subject: str, column: str, *, ends_at_as_of: bool) -> Declaration:
    """`<subject>_<column>_is_plausible`: from 2000 on and, where the instant orders records, never after as_of."""
    return Declaration(
        f"{subject}_{column}_is_plausible",
        "fitness",
        f"Every {column} lies {'between 2000-01-01 and as_of' if ends_at_as_of else 'on or after 2000-01-01'}.",
        ExpectColumnValuesToBeBetween(
            column=column,
            min_value=EARLIEST_PLAUSIBLE,
            max_value={"$PARAMETER": "as_of"} if ends_at_as_of else None,
        ),
    )
