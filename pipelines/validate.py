"""The validation step: are the data fit to use, and do two independent reckonings agree? A failure stops the run."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars

from pipelines import expectations
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import EngineError, ValidationFailedError

if TYPE_CHECKING:
    from types import ModuleType

    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

    from pipelines.expectations._declare import Declaration

RESULTS = "validation.results"

_COLUMNS = {
    "expectation": polars.String,
    "kind": polars.String,
    "relation": polars.String,
    "description": polars.String,
    "success": polars.Boolean,
    "checked_count": polars.Int64,
    "unexpected_count": polars.Int64,
}

#: Counts only: the rows that fail may hold what nobody should read in a log.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}


@dataclass(frozen=True)
class Result:
    """What came of one expectation: a row of validation.results."""

    expectation: str
    kind: str
    relation: str
    description: str
    success: bool
    checked_count: int
    unexpected_count: int


def relation_modules() -> list[ModuleType]:
    """The modules of expectations, in order of name; importing them imports Great Expectations."""
    names = sorted(module.name for module in pkgutil.iter_modules(expectations.__path__))
    return [importlib.import_module(f"{expectations.__name__}.{name}") for name in names if not name.startswith("_")]


def validate(engine: DuckDBEngine) -> None:
    """Write validation.results, one row per expectation, from the finished working database.

    Raises ValidationFailedError, which names the expectations that failed and how many rows each one objects to, and
    EngineError if an expectation could not be computed. Results hold counts alone, never a value.
    """
    # Seconds of imports, paid by this step only.
    from pipelines.engines.data_source import data_source

    parameters = {"as_of": engine.value("select as_of from run.parameters")}
    with data_source(engine) as source:
        results = [
            result for module in relation_modules() for result in _relation_results(engine, source, module, parameters)
        ]
    rows = [tuple(vars(result).values()) for result in results]
    engine.create_from_frame(RESULTS, polars.DataFrame(rows, schema=_COLUMNS, orient="row"))
    _raise_if_failed(results)


def _relation_results(
    engine: DuckDBEngine, source: SQLDatasource, module: ModuleType, parameters: dict[str, Any]
) -> list[Result]:
    from great_expectations import ExpectationSuite

    if hasattr(module, "prepare"):
        module.prepare(engine)
    relation: str = module.RELATION
    declarations: list[Declaration] = module.EXPECTATIONS
    # Not a table asset: naming its schema is deprecated, and this kind of source has no other place to say it.
    asset = source.add_query_asset(relation, query=f"select * from {relation}")
    batch = asset.add_batch_definition_whole_table("all rows").get_batch()
    # Outcomes come in another order than their expectations, so each carries its name.
    named = [item.expectation.copy(update={"meta": {"name": item.name}}) for item in declarations]
    outcome = batch.validate(
        ExpectationSuite(relation, expectations=named),
        result_format=_RESULT_FORMAT,
        expectation_parameters=parameters,
    )
    outcomes = {_name(found): found for found in outcome.results}
    row_count = engine.value(f"select count(*) from {relation}")
    return [
        _result(relation, item, outcomes[item.name], engine.value(item.checked) if item.checked else row_count)
        for item in declarations
    ]


def _name(outcome: ExpectationValidationResult) -> str:
    config = outcome.expectation_config
    assert config is not None
    assert config.meta is not None
    return str(config.meta["name"])


def _result(relation: str, declared: Declaration, outcome: ExpectationValidationResult, checked_count: int) -> Result:
    if message := _exception_message(outcome.exception_info):
        raise EngineError(message, f"checks.{declared.name}")
    return Result(
        expectation=declared.name,
        kind=declared.kind,
        relation=relation,
        description=declared.description,
        success=bool(outcome.success),
        checked_count=checked_count,
        # Summing over an empty relation gives no count.
        unexpected_count=outcome.result["unexpected_count"] or 0,
    )


def _exception_message(info: dict[str, Any]) -> str:
    """What went wrong while an expectation was computed, else empty; `info` is one exception or one per metric."""
    exceptions = [info] if "raised_exception" in info else list(info.values())
    return next((str(found["exception_message"]) for found in exceptions if found["raised_exception"]), "")


def _raise_if_failed(results: list[Result]) -> None:
    failed = [result for result in results if not result.success]
    if not failed:
        return
    named = "; ".join(f"{result.expectation} ({result.unexpected_count:,} of {result.relation})" for result in failed)
    raise ValidationFailedError(
        f"{len(failed)} of {len(results)} expectations failed: {named}.",
        "Nothing was published. What each one expects is in pipelines/expectations, its query in sql/checks.",
    )
