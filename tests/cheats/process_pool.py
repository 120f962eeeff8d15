"""Spreads over processes by multiprocessing, as honest submissions try too. Class: more than one process."""

import concurrent.futures
import multiprocessing

from _accomplice import attack

EXPECT = "submissions have one"


def a_process():
    multiprocessing.get_context("fork").Process(target=print).start()
    return True


def a_spawned_process():
    multiprocessing.get_context("spawn").Process(target=print).start()
    return True


def a_pool():
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        return list(pool.map(abs, [1, 2]))


build_estimator = attack(a_process, a_spawned_process, a_pool)
