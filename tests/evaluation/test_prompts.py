from collections import Counter

import torch

from inkwash.evaluation.desk import Desk
from inkwash.evaluation.prompts import COATS, coat_tasks, named_tasks, painted, partners, species_tasks

BREEDS = {"beagle": "a photo of a beagle dog", "komondor": "a photo of a komondor dog", "pug": "a photo of a pug dog"}


def test_half_are_cats_and_all_breeds_get_their_turn() -> None:
    tasks = species_tasks(BREEDS, 20)
    assert Counter(task.species for task in tasks) == {"cat": 10, "dog": 10}
    assert Counter(task.breed for task in tasks) == {"": 10, "beagle": 4, "komondor": 3, "pug": 3}
    assert [task.seed for task in tasks] == list(range(20))
    assert all(task.prompt == BREEDS.get(task.breed, "a photo of a cat") for task in tasks)


def test_named_breeds_and_coats_go_on_with_the_seeds() -> None:
    named, coats = named_tasks(BREEDS, 3, 20), coat_tasks(2, 26)
    assert [task.breed for task in named] == ["beagle"] * 3 + ["pug"] * 3
    assert [task.seed for task in [*named, *coats]] == list(range(20, 26 + 2 * len(COATS)))
    assert coats[-1].prompt == "a photo of a black and white cat"


def test_pictures_come_back_in_the_order_of_their_tasks() -> None:
    tasks = species_tasks(BREEDS, 50)

    def paint(prompts: list[str], seeds: list[int]) -> torch.Tensor:
        return torch.tensor(seeds, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 1, 1)

    assert painted(paint, tasks, batch=7)[:, 0, 0, 0].tolist() == list(range(50))


def test_partners_have_the_caption_and_serve_once(desk: Desk) -> None:
    tasks = species_tasks(desk.breeds, 40)
    same = partners(desk.known, tasks)
    assert [desk.known.about[row].caption for row in same] == [task.prompt for task in tasks]
    others = partners(desk.known, tasks, 2, same)
    assert len({*same, *others}) == 40 + 80


def test_tasks_go_without_when_photographs_run_out(desk: Desk) -> None:
    pugs = desk.known.rows(lambda about: about.breed == "pug")
    tasks = [task for task in species_tasks(desk.breeds, 1000) if task.breed == "pug"]
    assert sorted(partners(desk.known, tasks)) == pugs
