"""Benchmarks beside the peers and the machine's limits: `python -m bench`."""
