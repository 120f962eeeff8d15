"""The environment variables of a worker, all of them: nothing of the grader's own reaches it."""

from __future__ import annotations

import os
import site
from pathlib import Path

from harness.isolation import nvidia


def environment(job: Path, *, cores: int, cuda: bool) -> dict[str, str]:
    """What the libraries need to find a folder to write to, a number of threads, and the same sums every time."""
    temporary = str(job / "tmp")
    variables = {
        "HOME": temporary,
        "TMPDIR": temporary,
        "MPLCONFIGDIR": temporary,
        "TORCHINDUCTOR_CACHE_DIR": temporary,
        "USER": "worker",  # torch asks for it, and /etc/passwd is out of reach
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": str(cores),
        "MKL_NUM_THREADS": str(cores),
        "MKL_DYNAMIC": "FALSE",  # else it counts cores by moving from one to the next, and on refusal computes on one
        "OPENBLAS_NUM_THREADS": str(cores),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",  # what was printed before a crash is worth most
        "JOBLIB_MULTIPROCESSING": "0",  # it would find out by itself that it may start no process, and warn
        "NO_ALBUMENTATIONS_UPDATE": "1",  # else it asks the network for a newer version
    }
    if site.ENABLE_USER_SITE:
        variables["PYTHONUSERBASE"] = site.getuserbase()  # else it follows HOME
    else:
        variables["PYTHONNOUSERSITE"] = "1"
    if cuda:
        variables["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # repeatable sums
        for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):  # what cuda:0 and cuda:1 are
            if name in os.environ:
                variables[name] = os.environ[name]
        if folder := nvidia.search_path():
            variables["LD_LIBRARY_PATH"] = folder
    return variables
