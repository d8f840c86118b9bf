"""Waiting for something to become true. Never how long something takes: a bound here only ends a hung test."""
import os
import time

PATIENCE = float(os.environ.get("WIRE_PATIENCE", 20))     # seconds; generous, since machines are slow and busy


def wait_for(what, condition, patience=PATIENCE):
    """The first true value of condition(); fails with `what` when there is none."""
    end = time.monotonic() + patience
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
