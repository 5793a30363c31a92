import pytest

from inkwash.training.captions import Facts
from inkwash.training.paraphrases import CHINESE_NAMES, MOODS, NAMES, paraphrases


def test_nothing_is_made_up_about_unknown_things() -> None:
    assert paraphrases(Facts(), 0) == ()
    assert paraphrases(Facts("heron"), 0) == ()


def test_the_same_picture_is_always_said_the_same_way() -> None:
    facts = Facts("dog", "pug")
    assert paraphrases(facts, 7) == paraphrases(facts, 7)
    assert paraphrases(facts, 7) != paraphrases(facts, 8)


@pytest.mark.parametrize("facts", [Facts("dog", "pug"), Facts("cat", kind="tabby", coat="orange"), Facts("cat")])
def test_every_phrase_names_the_animal_and_only_what_is_known(facts: Facts) -> None:
    other = "dog" if facts.species == "cat" else "cat"
    for salt in range(50):
        *english, chinese = paraphrases(facts, salt)
        assert any(name in chinese for name in CHINESE_NAMES[facts.species])
        assert not any(name in chinese for name in CHINESE_NAMES[other])
        for text in english:
            assert any(name in text for name in (*NAMES[facts.species], facts.breed or facts.species))
            assert not any(name in text for name in NAMES[other])
            assert "  " not in text
            assert "{" not in text


def test_moods_and_coats_appear() -> None:
    said = " ".join(text for salt in range(50) for text in paraphrases(Facts("cat", coat="black and white"), salt))
    assert "black and white" in said
    assert "黑白" in said
    assert sum(mood in said for mood in MOODS) > 8
