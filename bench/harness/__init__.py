"""What bench/run, bench/calls, bench/memory and bench/reload share."""
