"""Changes its own task while it runs: the job's description, the images, the plan, the log."""

import os

from _accomplice import attack, job

EXPECT = "may not open"


def rewritten(path):
    def way():
        with open(path, "r+b") as file:
            file.write(b" ")
        return True

    way.__name__ = path.name
    return way


def replaced():
    open("asked.npy", "w").write("forged")
    os.replace("asked.npy", job / "input" / "asked.npy")
    return True


build_estimator = attack(
    *(rewritten(job / "input" / name) for name in ("job.json", "images.npy", "submission/submission.py")),
    rewritten(job / "plan.json"),
    rewritten(job / "log.txt"),
    replaced,
)
