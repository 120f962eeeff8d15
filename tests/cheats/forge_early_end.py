"""Writes a result of its own while it is imported, claims to be done, and ends: no check of the worker ever runs."""

import numpy as np
from _accomplice import finish, job, target

EXPECT = "declares"

np.save(job / "output" / "predictions.npy", np.zeros(target.asked_shape))  # float64, which the worker would have mended
finish()
