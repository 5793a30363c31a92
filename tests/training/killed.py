"""Trains the toy in one go, and in forked processes that are killed at random moments.  killed.py FOLDER KILLS"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from conftest import toy_config, toy_course
from inkwash.training.run import Habits, prepare, run


def learn(out: Path, cache: Path, first_step: int | None = None) -> None:
    plan = prepare(toy_course(cache, toy_config()), out)
    for number, _ in enumerate(run(plan, out, Habits(save_minutes=0.0))):
        if number == 0 and first_step is not None:
            os.write(first_step, b".")


def kill_one(out: Path, cache: Path, delay: float) -> bool:
    """Fork, let it learn for `delay` seconds beyond its first step, kill; False if it was done before."""
    listen, tell = os.pipe()
    child = os.fork()
    if child == 0:
        learn(out, cache, tell)
        os._exit(0)
    os.close(tell)
    os.read(listen, 1)  # its first step, or its end
    os.close(listen)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    cache, torn = folder / "cache", folder / "torn"
    torch.set_num_threads(1)
    chance = random.Random(0)
    learn(folder / "whole", cache)
    count = sum(kill_one(torn, cache, chance.random() ** 2 * 0.1) for _ in range(kills))
    learn(torn, cache)
    sys.stdout.write(f"{count}\n")
