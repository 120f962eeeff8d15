"""Burns every core in threads that hold no lock. Class: a limit on processor time."""

import hashlib
import threading

from _accomplice import attack

EXPECT = "it ran past its time limit"

LIMITS = {"seconds": 6}


def burning():
    def burn():
        while True:
            hashlib.sha256(bytes(2**22))

    threads = [threading.Thread(target=burn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


build_estimator = attack(burning)
