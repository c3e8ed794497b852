"""The global random generators, which no estimator may touch."""

import random
import sys
from contextlib import contextmanager

import numpy as np

__all__ = ["other_generators"]


@contextmanager
def other_generators():
    """Seed the generators inside a ``with`` block, and yield what reads them.

    Otherwise an estimator that sets a fixed seed would find the state that it left.
    """
    torch = sys.modules.get("torch")  # What is not imported cannot be changed.
    saved = random.getstate(), np.random.get_state()
    saved_torch = None if torch is None else torch.get_rng_state()

    def read():
        states = {
            "Python": random.getstate(),
            "NumPy": [np.asarray(part).tolist() for part in np.random.get_state()],
        }
        if torch is not None:
            states["PyTorch"] = torch.get_rng_state().tolist()
        return states

    try:
        random.seed(20_261)
        np.random.seed(20_261)
        if torch is not None:
            torch.manual_seed(20_261)
        yield read
    finally:
        random.setstate(saved[0])
        np.random.set_state(saved[1])
        if torch is not None:
            torch.set_rng_state(saved_torch)
