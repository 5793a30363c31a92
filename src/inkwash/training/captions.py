"""Richer captions: one picture said in several ways, from its caption and from what can be measured in it.

A predictor that only ever reads one sentence per picture obeys only that sentence. Everything here is a pure function,
so the same pictures always get the same captions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

Pictures = UInt8[Tensor, "n 3 h w"]


@dataclass(frozen=True)
class Facts:
    """What is known of a picture; an empty word where nothing is."""

    species: str = ""
    """The plainest name: cat, dog."""
    breed: str = ""
    kind: str = ""
    """A look that a classifier is sure of (tabby, Siamese) where no breed is known."""
    coat: str = ""
    background: str = ""


FRAMES = ("a close-up photo of {}", "a portrait of {}")
KINDS: Mapping[str, tuple[int, ...]] = {"tabby": (281, 282), "Persian": (283,), "Siamese": (284,)}
"""ImageNet's classes of cats; tabby and tiger cat are one look. Egyptian (285) takes in any short hair."""


def variants(caption: str, facts: Facts, salt: int = 0) -> tuple[str, ...]:
    """Two to seven captions, the given one first; only the given one where the species is unknown.

    `salt`, the picture's number, spreads equal phrases over the set. All but the bare breed name the species.
    """
    if not facts.species:
        return (caption,)
    noun = joined_words(facts.breed or facts.kind, facts.species)
    full = with_article(joined_words(facts.coat, noun))
    said = [caption, ("a {}", "a photo of a {}")[salt % 2].format(facts.species), with_article(noun)]
    said.append(FRAMES[salt // 2 % len(FRAMES)].format(full))
    if facts.breed:
        said.append(with_article(facts.breed))
    if facts.coat:
        said.append(f"a photo of {with_article(joined_words(facts.coat, facts.species))}")
    if facts.background:
        said.append(f"a photo of {full} on a {facts.background} background")
    return tuple(dict.fromkeys(said))


def joined_words(*words: str) -> str:
    """The words that are there, with blanks between them."""
    return " ".join(word for word in words if word)


def with_article(noun: str) -> str:
    """a dog, an orange cat."""
    return f"{'an' if noun[:1].lower() in tuple('aeiou') else 'a'} {noun}"


def described(
    rows: Sequence[Mapping[str, str]], pictures: Pictures, logits: Float[Tensor, "n 1000"] | None = None
) -> list[Facts]:
    """Facts from a table with the columns class, breed and coat, and from the pictures themselves.

    `logits` are an ImageNet classifier's; only cats without a breed take a kind from them. Named coats win over
    measured ones; black and orange cats are left to the table, which measured them with more care.
    """
    measured, behind = coats(pictures), backgrounds(pictures)
    looks = kinds(logits) if logits is not None else [""] * len(rows)
    found = []
    for row, colour, background, look in zip(rows, measured, behind, looks, strict=True):
        cat = row["class"] == "cat"
        pointed = look == "Siamese" and "black" in (row["coat"], colour)  # a black cat that passes for one
        kind = look if cat and not row["breed"] and not pointed else ""
        vague = colour == ("black" if cat else "gray")  # shade makes dogs gray
        measurable = kind in ("", "tabby") and not vague  # the other kinds have a coat of their own
        coat = row["coat"] or (colour if measurable else "")
        found.append(Facts(row["class"], row["breed"], kind, coat, background))
    return found


def kinds(logits: Float[Tensor, "n 1000"], sure: float = 0.6, surer: float = 0.97) -> list[str]:
    """The kind of cat that has more than `sure` of the probability over all classes, or an empty word.

    Persian and Siamese need more than `surer`: long hair or a dark face alone look like them.
    """
    shares = logits.softmax(dim=1)
    sums = torch.stack([shares[:, classes].sum(dim=1) for classes in KINDS.values()], dim=1)
    best, index = sums.max(dim=1)
    names = [list(KINDS)[i] for i in index.tolist()]
    needed = [sure if name == "tabby" else surer for name in names]
    return [name if share > least else "" for name, share, least in zip(names, best.tolist(), needed, strict=True)]


def backgrounds(pictures: Pictures, corner: float = 0.19, even: float = 0.16) -> list[str]:
    """The colour that both upper corners share, or an empty word where they differ or are not `even`."""
    side = max(1, round(pictures.shape[-1] * corner))
    found = []
    for picture in pictures:
        corners = [patch.flatten(1).float() / 255 for patch in (picture[:, :side, :side], picture[:, :side, -side:])]
        if any(patch.std(dim=1).mean().item() > even for patch in corners):
            found.append("")
            continue
        names = {colour_name(patch.mean(dim=1).tolist()) for patch in corners}
        found.append(names.pop() if len(names) == 1 else "")
    return found


def coats(pictures: Pictures) -> list[str]:
    """The colour of most of the middle of the picture: black, white, gray, brown, or an empty word."""
    height, width = pictures.shape[2:]
    middle = pictures[:, :, height // 5 : height - height // 5, width // 4 : width - width // 4]
    shares = {name: torch.cat([rule(*hsv(part)) for part in middle.split(256)]) for name, rule in COATS.items()}
    table = torch.stack(list(shares.values()), dim=1)
    best, index = table.max(dim=1)
    names = list(shares)
    return [names[i] if share > 0.6 else "" for share, i in zip(best.tolist(), index.tolist(), strict=True)]


def hsv(pixels: UInt8[Tensor, "*n 3 h w"]) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in degrees, saturation and value in [0, 1]."""
    rgb = pixels.float() / 255
    red, green, blue = rgb.unbind(dim=-3)
    value, low = rgb.amax(dim=-3), rgb.amin(dim=-3)
    spread = (value - low).clamp(min=1e-6)
    hue = torch.where(
        value == red,
        (green - blue) / spread % 6,
        torch.where(value == green, (blue - red) / spread + 2, (red - green) / spread + 4),
    )
    return hue * 60, (value - low) / value.clamp(min=1e-6), value


def _share(mask: Tensor) -> Tensor:
    return mask.flatten(1).float().mean(dim=1)


COATS: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "black": lambda h, s, v: _share(v < 0.28),
    "white": lambda h, s, v: _share((v > 0.7) & (s < 0.2)),
    "gray": lambda h, s, v: _share((v > 0.25) & (v <= 0.7) & (s < 0.17)),
    "brown": lambda h, s, v: _share((h > 8) & (h < 45) & (s > 0.3) & (v >= 0.28) & (v < 0.66)),
}

HUES = (
    (18, "red"),
    (45, "brown"),
    (52, "yellow"),
    (165, "green"),
    (185, ""),
    (260, "blue"),
    (341, "pink"),
    (361, "red"),
)
"""Names up to an angle of hue."""


def colour_name(rgb: Sequence[float]) -> str:
    """The plain name of a colour in [0, 1], or an empty word where people would not agree on one."""
    colour = (torch.tensor(rgb) * 255).round().to(torch.uint8).reshape(3, 1, 1)
    hue, saturation, value = (part.item() for part in hsv(colour))
    if value < 0.2:
        return "black"
    if saturation < 0.14:
        return "white" if value > 0.82 else "gray" if 0.3 < value < 0.7 else ""
    name = next(name for limit, name in HUES if hue < limit)
    pale = saturation < (0.5 if name in ("red", "yellow") else 0.22)
    muddy = (name == "brown" and value > 0.75) or (name in ("red", "pink") and value < 0.4)
    return "" if pale or muddy else name
