"""Reproducible property tests, an interrupt that arrives, and one line for a GPU that is not there."""

import signal

import hypothesis

import fanin

hypothesis.settings.register_profile("fixed", deadline=None, derandomize=True, max_examples=200)
hypothesis.settings.load_profile("fixed")

# A shell lets what it starts in the background ignore SIGINT, and children inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    """Without a GPU, one of its tests is skipped and says why; the others are deselected."""
    if fanin.cuda.status().available:
        return
    others = [item for item in items if item.get_closest_marker("gpu")][1:]
    config.hook.pytest_deselected(items=others)
    left_out = set(others)
    items[:] = [item for item in items if item not in left_out]
