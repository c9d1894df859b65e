"""All benchmarks, one after the other: ``make bench``. They print ratios and are never part of the tests."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path


def main() -> None:
    """Run every benchmark beside this file."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name != "__main__":
            print(f"\n{module.name}")
            importlib.import_module(f"tests.bench.{module.name}").main()


if __name__ == "__main__":
    main()
