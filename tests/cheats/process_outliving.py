"""Cuts the ties by which it is ended with its parent, ignores every signal and leaves threads running behind it."""

import os
import signal
import threading
import time

from _accomplice import Mean, any_of, call

EXPECT = "graded"

PR_SET_PDEATHSIG = 1


def no_signal_at_the_parents_death():
    call("prctl", PR_SET_PDEATHSIG, 0, 0, 0, 0)


class Cheat(Mean):
    def fit(self, images, keypoints):
        super().fit(images, keypoints)
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        try:
            any_of([no_signal_at_the_parents_death, os.setsid])
        except PermissionError as refusal:
            print(refusal)
        for _ in range(4):
            threading.Thread(target=time.sleep, args=(600,), daemon=False).start()


def build_estimator(layout, image_size):
    return Cheat()
