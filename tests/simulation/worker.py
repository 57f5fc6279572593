"""A process that lives through some days, one line of JSON each: `worker MUTANT SEED...`, until a mutant is caught."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.simulation.day import simulate


def main(mutant: str, seeds: list[int]) -> None:
    room = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=room) as folder:
        for seed in seeds:
            began = time.process_time()
            ended = simulate(seed, Path(folder), mutant=mutant)
            result = {
                "seed": seed,
                "problems": ended.problems,
                "counts": ended.counts,
                "digest": ended.digest,
                "seconds": round(time.process_time() - began, 2),
            }
            print(json.dumps(result), flush=True)
            if mutant and ended.problems:
                break


if __name__ == "__main__":
    main(sys.argv[1], [int(seed) for seed in sys.argv[2:]])
    os._exit(0)  # what the dead left open is nobody's to close
