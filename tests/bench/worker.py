"""A worker's process: it is told on its standard input what to run, and answers on its standard output.

The only other thing it does is to wait, so that nothing runs beside what is measured.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

from tests.bench.case import Figures

__all__ = ["answer"]


def answer(request: dict[str, Any]) -> Figures:
    """Run one function for one entrant, on a heap without garbage."""
    module, name = request["function"].split(":")
    function = getattr(importlib.import_module(f"tests.bench.work.{module}"), name)
    if request["collect"]:
        gc.collect()
    found: Figures = function(request["entrant"], Path(request["folder"]), **request["options"])
    return found


def main() -> None:
    """Answer until nobody asks any more."""
    warnings.simplefilter("ignore")  # the imports of some warn of what has nothing to do with this
    # Some writers print; what they print must not come between the answers.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            reply: dict[str, Any] = {"figures": answer(json.loads(line))}
        except Exception as error:  # whatever a writer raises is the result
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}".split("\n")[0]}
        replies.write(json.dumps(reply) + "\n")


if __name__ == "__main__":
    main()
