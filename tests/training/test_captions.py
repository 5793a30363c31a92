import pytest
import torch

from inkwash.training.captions import (
    Facts,
    backgrounds,
    coats,
    colour_name,
    described,
    hsv,
    joined_words,
    kinds,
    variants,
    with_article,
)


def plain(*rgb: int, side: int = 40) -> torch.Tensor:
    return torch.tensor(rgb, dtype=torch.uint8).reshape(3, 1, 1).expand(3, side, side).contiguous()


def framed(background: tuple[int, int, int], animal: tuple[int, int, int]) -> torch.Tensor:
    picture = plain(*background)
    picture[:, 8:, 8:-8] = plain(*animal)[:, 8:, 8:-8]
    return picture


def test_without_a_species_a_caption_stays_alone() -> None:
    assert variants("a red triangle", Facts()) == ("a red triangle",)
    assert variants("a red triangle", Facts(background="green"), salt=3) == ("a red triangle",)


def test_a_breed_is_said_in_several_ways() -> None:
    assert variants("a photo of a beagle dog", Facts("dog", "beagle", coat="white", background="green")) == (
        "a photo of a beagle dog",
        "a dog",
        "a beagle dog",
        "a close-up photo of a white beagle dog",
        "a beagle",
        "a photo of a white dog",
        "a photo of a white beagle dog on a green background",
    )


def test_a_plain_cat_is_said_in_three_ways() -> None:
    assert variants("a photo of a cat", Facts("cat"), salt=0) == (
        "a photo of a cat",
        "a cat",
        "a close-up photo of a cat",
    )
    assert variants("a photo of a cat", Facts("cat"), salt=3) == ("a photo of a cat", "a cat", "a portrait of a cat")


def test_a_kind_stands_where_no_breed_is_known() -> None:
    said = variants("a photo of an orange cat", Facts("cat", kind="tabby", coat="orange"))
    assert said[0] == "a photo of an orange cat"
    assert {"a tabby cat", "a close-up photo of an orange tabby cat"} <= set(said)


@pytest.mark.parametrize("salt", range(4))
@pytest.mark.parametrize("facts", [Facts("dog", "pug"), Facts("cat", kind="Siamese", background="gray"), Facts("cat")])
def test_all_but_the_bare_breed_name_the_species_and_none_twice(facts: Facts, salt: int) -> None:
    said = variants(f"a photo of a {facts.species}", facts, salt)
    assert len(set(said)) == len(said)
    assert [text for text in said if facts.species not in text] in ([], ["a pug"])
    assert said == variants(f"a photo of a {facts.species}", facts, salt)


def test_articles_and_blanks() -> None:
    assert with_article("orange cat") == "an orange cat"
    assert with_article("Airedale") == "an Airedale"
    assert with_article("pug") == "a pug"
    assert joined_words("", "black", "", "cat") == "black cat"


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0.0, 0.0, 0.0), "black"),
        ((1.0, 1.0, 1.0), "white"),
        ((0.5, 0.5, 0.5), "gray"),
        ((0.2, 0.6, 0.2), "green"),
        ((0.2, 0.3, 0.8), "blue"),
        ((0.9, 0.1, 0.1), "red"),
        ((0.5, 0.35, 0.2), "brown"),
        ((0.95, 0.75, 0.1), "yellow"),
        ((0.9, 0.3, 0.7), "pink"),
        ((0.85, 0.72, 0.7), ""),
        ((0.3, 0.75, 0.72), ""),
        ((0.78, 0.78, 0.78), ""),
    ],
)
def test_colours_have_names_where_people_agree(rgb: tuple[float, float, float], name: str) -> None:
    assert colour_name(rgb) == name


def test_hsv_is_the_textbooks() -> None:
    import colorsys

    torch.manual_seed(0)
    picture = torch.randint(0, 256, (3, 5, 5), dtype=torch.uint8)
    hue, saturation, value = hsv(picture)
    for y in range(5):
        for x in range(5):
            h, s, v = colorsys.rgb_to_hsv(*(picture[:, y, x].double() / 255).tolist())
            assert hue[y, x].item() / 360 == pytest.approx(h, abs=1e-5)
            assert saturation[y, x].item() == pytest.approx(s, abs=1e-5)
            assert value[y, x].item() == pytest.approx(v, abs=1e-6)


def test_a_background_needs_both_corners() -> None:
    green, two = framed((40, 160, 40), (0, 0, 0)), framed((40, 160, 40), (0, 0, 0))
    two[:, :, 30:] = plain(40, 40, 200)[:, :, 30:]
    torch.manual_seed(0)
    busy = torch.randint(0, 256, (3, 40, 40), dtype=torch.uint8)
    assert backgrounds(torch.stack([green, two, busy])) == ["green", "", ""]


def test_a_coat_is_the_colour_of_the_middle() -> None:
    middle = [(10, 10, 10), (240, 240, 240), (120, 120, 120), (140, 90, 50), (40, 200, 40)]
    pictures = torch.stack([framed((0, 0, 255), rgb) for rgb in middle])
    assert coats(pictures) == ["black", "white", "gray", "brown", ""]


def test_a_kind_is_named_only_when_sure() -> None:
    logits = torch.zeros(6, 1000)
    logits[0, [281, 282]] = 12.0  # tabby and tiger cat share one name
    logits[1, 284] = 15.0
    logits[2, [281, 284]] = 12.0
    logits[3, 100] = 15.0
    logits[4, 281] = logits[5, 284] = 9.0  # nine tenths sure
    assert kinds(logits) == ["tabby", "Siamese", "", "", "tabby", ""]


def test_facts_put_the_table_first() -> None:
    pictures = torch.stack([framed((40, 160, 40), rgb) for rgb in [(240, 240, 240), (10, 10, 10), (120, 120, 120)] * 2])
    logits = torch.zeros(6, 1000)
    logits[:4, 284] = 15.0
    logits[5, 281] = 15.0
    rows = [
        {"class": "dog", "breed": "Samoyed", "coat": ""},
        {"class": "cat", "breed": "Bengal", "coat": ""},
        {"class": "dog", "breed": "pug", "coat": ""},
        {"class": "cat", "breed": "", "coat": ""},
        {"class": "cat", "breed": "", "coat": "black"},
        {"class": "cat", "breed": "", "coat": ""},
    ]
    assert described(rows, pictures, logits) == [
        Facts("dog", "Samoyed", coat="white", background="green"),
        Facts("cat", "Bengal", background="green"),  # black cats are left to the table
        Facts("dog", "pug", background="green"),  # shade makes dogs gray
        Facts("cat", kind="Siamese", background="green"),  # has a coat of its own
        Facts("cat", coat="black", background="green"),
        Facts("cat", kind="tabby", coat="gray", background="green"),
    ]


def test_a_black_cat_is_no_siamese() -> None:
    logits = torch.zeros(1, 1000)
    logits[0, 284] = 15.0
    row = {"class": "cat", "breed": "", "coat": ""}
    dark, pale = framed((40, 160, 40), (10, 10, 10)), framed((40, 160, 40), (180, 150, 120))
    assert described([row], dark[None], logits)[0].kind == ""
    assert described([row], pale[None], logits)[0].kind == "Siamese"


def test_without_a_classifier_there_are_no_kinds() -> None:
    pictures = framed((40, 160, 40), (240, 240, 240))[None]
    assert described([{"class": "cat", "breed": "", "coat": ""}], pictures)[0] == Facts(
        "cat", coat="white", background="green"
    )
