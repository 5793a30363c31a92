"""What people may type instead: other names, small adjectives, other frames, and Chinese.

Only the text encoder reads these. The predictor sees nothing but its states, so a prompt in words that no caption
holds paints well if it lies close to one that a caption holds.
"""

from random import Random

from inkwash.training.captions import Facts, joined_words, with_article

NAMES = {"cat": ("cat", "kitten", "kitty"), "dog": ("dog", "puppy", "doggy")}
MOODS = (
    "cute",
    "happy",
    "little",
    "young",
    "old",
    "fluffy",
    "beautiful",
    "sleepy",
    "adorable",
    "small",
    "lovely",
    "my",
)
FRAMES = (
    "{}", "{}", "a picture of {}", "an image of {}", "a photograph of {}", "the face of {}", "{} looking at the camera",
    "a cute photo of {}", "{}, portrait, high quality", "a painting of {}", "a close-up of {}", "this is {}",
)  # fmt: skip
CHINESE_NAMES = {"cat": ("猫", "小猫", "猫咪"), "dog": ("狗", "小狗", "狗狗")}
CHINESE_COATS = {
    "black and white": "黑白", "gray": "灰色", "orange": "橘色", "black": "黑色", "white": "白色", "brown": "棕色",
}  # fmt: skip
CHINESE_FRAMES = ("{}", "一只{}", "一张{}的照片", "一只可爱的{}", "{}的脸")


def paraphrases(facts: Facts, salt: int, count: int = 4) -> tuple[str, ...]:
    """Other ways to say the same, drawn by `salt`: `count` in English and one in Chinese; none without a species."""
    if facts.species not in NAMES:
        return ()
    dice = Random(salt)
    said = [_english(facts, dice) for _ in range(count)]
    return tuple(dict.fromkeys([*said, _chinese(facts, dice)]))


def _english(facts: Facts, dice: Random) -> str:
    name = dice.choice(NAMES[facts.species])
    look = facts.breed or facts.kind
    if dice.random() < 0.25:  # the plain animal, so that breeds do not own the other names
        look = ""
    coat = facts.coat if dice.random() < 0.5 else ""
    mood = dice.choice(MOODS) if dice.random() < 0.4 else ""
    bare = bool(facts.breed and look) and dice.random() < 0.3
    noun = joined_words(mood, coat, look, "" if bare else name)
    return dice.choice(FRAMES).format(noun if dice.random() < 0.3 else with_article(noun))


def _chinese(facts: Facts, dice: Random) -> str:
    coat = CHINESE_COATS.get(facts.coat, "") if dice.random() < 0.7 else ""
    name = dice.choice(CHINESE_NAMES[facts.species])
    return dice.choice(CHINESE_FRAMES).format(f"{coat}的{name}" if coat else name)
