"""What a request costs in instructions and system calls, within a generous bound: a change that makes it dearer by a third must not
go unnoticed. The exact bounds, and who misses them, are `make bench-calls`."""
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.portico import BINARY

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("strace", "valgrind", "openssl")
OPTIMISED = ("build", "pgo")        # the folders of builds that people run; sanitizers and -O0 cost what they cost


@pytest.mark.slow
@pytest.mark.skipif(Path(BINARY).resolve().parent.name not in OPTIMISED, reason="not an optimised build")
@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}")
def test_a_small_request_costs_no_more_instructions_and_calls_than_it_may(tmp_path):
    out = tmp_path / "calls.json"
    run = subprocess.run([ROOT / "bench/calls", "--portico", BINARY, "--scenario", "h1-small", "--log", "none", "--short",
                          "--factor", "1.3", "--json", out], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    costs = json.loads(out.read_text())["peers"]["portico"]
    assert costs["instructions"] > 1000 and costs["calls"] > 3      # it was measured at all
