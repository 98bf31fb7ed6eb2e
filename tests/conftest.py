"""Reproducible property tests, and an interrupt that arrives."""

import signal

import hypothesis

hypothesis.settings.register_profile("fixed", deadline=None, derandomize=True, max_examples=200)
hypothesis.settings.load_profile("fixed")

# A shell lets what it starts in the background ignore SIGINT, and children inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
