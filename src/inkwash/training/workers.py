"""Several processes of one thread each share every batch: on a CPU, two of them beat two threads.

Each worker holds the whole network, learns its share of the batch, and all of them add up the gradients in the same
order and take the same step, so their weights stay equal to the last bit.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import torch
from jaxtyping import Float
from torch import Tensor, multiprocessing, nn

from inkwash.errors import InkwashError
from inkwash.training.objective import Lesson

READY = b"."


@dataclass(frozen=True)
class Team:
    """This worker's place among its fellows.

    `board` is shared memory with a row per worker. Rank 0 has a pipe to everybody, the others one to rank 0; when
    either end dies the other hears of it.
    """

    rank: int = 0
    count: int = 1
    board: Float[Tensor, "workers numbers"] | None = None
    pipes: tuple[Connection, ...] = ()

    def average(self, weights: Sequence[nn.Parameter], mine: Lesson) -> Lesson:
        """Replace the gradients by their mean over all workers; returns the lesson of the whole batch."""
        if self.board is None:
            return mine
        parts = [*(_grad(weight) for weight in weights), mine.loss, mine.sigma]
        torch.cat([part.flatten() for part in parts], out=self.board[self.rank])
        self.meet()
        ends = 2 * len(mine.loss)
        mean, told = self.board[:, :-ends].mean(0), self.board[:, -ends:].clone()
        self.meet()  # before anybody writes again
        for weight, part in zip(weights, mean.split([weight.numel() for weight in weights]), strict=True):
            _grad(weight).copy_(part.view_as(weight))
        losses, sigmas = told.view(self.count, 2, -1).unbind(1)
        return Lesson(losses.flatten(), sigmas.flatten())

    def spread(self, work: Callable[[Tensor], Tensor], given: Sequence[Tensor]) -> list[Tensor]:
        """`work` on every tensor, of whose shape its result must be; each is done by one worker, and all get all."""
        if self.board is None:
            return [work(each) for each in given]
        pages = self.board.flatten()[: sum(each.numel() for each in given)].split([each.numel() for each in given])
        for owner, each, page in zip(shared_out(given, self.count), given, pages, strict=True):
            if owner == self.rank:
                page.view_as(each).copy_(work(each))
        self.meet()
        done = [page.view_as(each).clone() for each, page in zip(given, pages, strict=True)]
        self.meet()  # before anybody writes again
        return done

    def meet(self) -> None:
        """Wait until everybody is here.  Raises InkwashError if a worker has died."""
        try:
            if self.rank == 0:
                for pipe in self.pipes:
                    pipe.recv_bytes()
                for pipe in self.pipes:
                    pipe.send_bytes(READY)
            else:
                self.pipes[0].send_bytes(READY)
                self.pipes[0].recv_bytes()
        except (EOFError, OSError):
            raise InkwashError("a training worker ended unexpectedly (out of memory?)") from None


ALONE = Team()


def shared_out(given: Sequence[Tensor], count: int) -> list[int]:
    """Who of `count` workers does which matrix, so that all have about as much: the largest first."""
    costs = [each.numel() * min(each.shape) for each in given]
    owners, loads = [0] * len(given), [0] * count
    for place in sorted(range(len(given)), key=lambda place: -costs[place]):
        owners[place] = loads.index(min(loads))
        loads[owners[place]] += costs[place]
    return owners


@contextmanager
def team_of(count: int, numbers: int, work: Callable[[Team], None]) -> Iterator[Team]:
    """Start `count` - 1 processes that run `work`, and lead them: yields the team of this process, rank 0.

    `numbers` is how many a worker tells the others per step: its gradient, and two per picture of its share.
    `work` must be picklable. Leaving the block ends the others. They share the threads that this process has.
    """
    if count == 1:
        yield ALONE
        return
    threads = max(1, torch.get_num_threads() // count)
    torch.set_num_threads(threads)
    spawn = multiprocessing.get_context("spawn")
    board = torch.zeros(count, numbers).share_memory_()
    near, far = zip(*(spawn.Pipe() for _ in range(count - 1)), strict=True)
    helpers = [
        spawn.Process(target=_help, args=(Team(rank, count, board, (pipe,)), threads, work), daemon=True)
        for rank, pipe in enumerate(far, start=1)
    ]
    try:
        for helper, pipe in zip(helpers, far, strict=True):
            helper.start()
            pipe.close()
        yield Team(0, count, board, near)
    finally:
        for pipe in near:
            pipe.close()
        for helper in helpers:
            helper.join()


def _help(team: Team, threads: int, work: Callable[[Team], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; rank 0 decides
    torch.set_num_threads(threads)
    with suppress(InkwashError):  # rank 0 has left, or tells the user itself
        work(team)


def _grad(weight: nn.Parameter) -> Tensor:
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    return weight.grad
