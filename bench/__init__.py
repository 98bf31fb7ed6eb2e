"""Measure fanin beside other libraries and the machine's limits: `python -m bench`."""
