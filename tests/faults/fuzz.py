"""`make fuzz`: loads thousands of damaged deliveries and reads thousands of damaged configurations.

    python -m tests.faults.fuzz --inputs 2000 --seed 1

The same seed gives the same inputs. The first one that breaks a promise is kept beside the message, and ends it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.faults.fuzzing import Promises, Seed, changed, changes, configuration_holds, configurations, deliveries

#: Configurations read for each delivery loaded: they cost a thirtieth.
_CONFIGURATIONS = 5
_WHOLE_RUN_OF = 12


def attempts(function: Callable[..., None], count: int, number: int, *strategies: st.SearchStrategy[object]) -> None:
    """Call a function with so many inputs drawn from strategies by a seed, and stop at the first that raises."""
    chosen = settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    seed(number)(chosen(given(*strategies)(function)))()


def main() -> int:
    """Try inputs until the number is reached or a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="heed-fuzz-"))
    promises, begun = Promises(folder), time.perf_counter()
    tried, read, last = Counter[str](), Counter[str](), folder / "last-input"

    def delivery(one: tuple[Seed, str, bytes]) -> None:
        source, name, data = one
        last.write_bytes(f"{source.connector} {name}\n".encode() + data)
        promises.hold_for(source, name, data)
        tried[source.connector] += 1

    def configuration(data: bytes, several: list[tuple[str, float, float, bytes]]) -> None:
        last.write_bytes(changed(data, several))
        read[configuration_holds(folder, changed(data, several))] += 1

    try:
        attempts(
            configuration, options.inputs * _CONFIGURATIONS, options.seed, st.sampled_from(configurations()), changes()
        )
        attempts(delivery, options.inputs, options.seed, deliveries())
        whole = promises.run_loaded(_WHOLE_RUN_OF)
    except BaseException:
        print(f"BROKEN, by the input in {last}", file=sys.stderr)
        raise
    shutil.rmtree(folder)
    print(f"seed {options.seed}: {tried.total()} deliveries loaded ({_listed(tried)}): {_listed(promises.outcomes)}")
    print(f"{read.total()} configurations: {_listed(read)}")
    print(f"a whole run published {whole} of the deliveries that gave rows; {time.perf_counter() - begun:.0f} seconds")
    return 0


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
