"""Reproducible property tests."""

import hypothesis

hypothesis.settings.register_profile("fixed", deadline=None, derandomize=True, max_examples=200)
hypothesis.settings.load_profile("fixed")
