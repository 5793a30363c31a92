import re

from benchmarks.machine import described, slug


def test_the_machine_has_a_name_that_fits_into_a_file_name() -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug())


def test_the_description_tells_what_speed_depends_on() -> None:
    assert re.search(r"\d+ cores, \d+ threads, .*Python 3\.\d+.*torch \d", described())
