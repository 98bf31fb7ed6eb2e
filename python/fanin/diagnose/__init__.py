"""Predict, probe, watch, audit and compare initializations. docs/diagnose.md explains how.

Examples
--------
>>> from fanin import diagnose, schemes
>>> stack = diagnose.Stack(weights=schemes.xavier_normal(layout="OI"), depth=30)
>>> print(f"{diagnose.predict(stack).chi:.3g}")  # a layer multiplies the squares of gradients by this
0.5
"""

from . import plots
from .audit import audit
from .compare import compare, scheme_named
from .comparison import Comparison
from .findings import Audit
from .monitor import Alarm, Monitor, Thresholds, Verdict
from .network import Network
from .probe import Report, probe
from .stack import Stack
from .tasks import Task, Training, digits, load, train
from .theory import MeanField, Prediction, critical_weight_variance, phase_diagram, predict

__all__ = [
    "Alarm",
    "Audit",
    "Comparison",
    "MeanField",
    "Monitor",
    "Network",
    "Prediction",
    "Report",
    "Stack",
    "Task",
    "Thresholds",
    "Training",
    "Verdict",
    "audit",
    "compare",
    "critical_weight_variance",
    "digits",
    "load",
    "phase_diagram",
    "plots",
    "predict",
    "probe",
    "scheme_named",
    "train",
]
