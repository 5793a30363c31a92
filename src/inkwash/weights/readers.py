"""The readers of prompts that a released predictor was taught with."""

from inkwash.errors import WeightsError
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.unet import UNet
from inkwash.text.conditioning import Conditioner
from inkwash.text.towers import LongReader, ThreeReaders, TwoReaders
from inkwash.weights.gathered import Gathered
from inkwash.weights.vocabularies import Vocabularies
from inkwash.weights.waking import clip_of, t5_of

Reader = Conditioner | TwoReaders | ThreeReaders
FIRST, SECOND, THIRD = "text_encoder", "text_encoder_2", "text_encoder_3"
OPENCLIP_H = 1024
"""Width of the one tower of Stable Diffusion 2, whose padding is token 0 as that of bigG."""


def readers_of(whole: Gathered, predictor: UNet | MMDiT, words: Vocabularies) -> Reader:
    """The towers that lie in the checkpoint, put together.

    Raises WeightsError for what is missing or was made for another predictor.
    """
    if isinstance(predictor, MMDiT):
        third = None
        if THIRD in whole.parts:
            long = t5_of(whole.parts[THIRD], whole.config(THIRD))
            third = LongReader(words.t5(long.spec.vocabulary), long)
            _same_width(whole, long.spec.width, predictor.spec.text_width)
        first, second = _tower(whole, words, FIRST, deep=False), _tower(whole, words, SECOND, deep=False)
        _same_width(whole, first.encoder.spec.pooled + second.encoder.spec.pooled, predictor.spec.pooled_width)
        return ThreeReaders(first, second, third, predictor.spec.text_width)
    if SECOND not in whole.parts:
        only = _tower(whole, words, FIRST, deep=True)
        _same_width(whole, only.encoder.spec.width, predictor.spec.text_width)
        return only
    second = _tower(whole, words, SECOND, deep=False)
    if FIRST not in whole.parts:
        _same_width(whole, second.encoder.spec.width, predictor.spec.text_width)
        return second
    both = TwoReaders(_tower(whole, words, FIRST, deep=False), second)
    _same_width(whole, both.clip_l.encoder.spec.width + second.encoder.spec.width, predictor.spec.text_width)
    return both


def _tower(whole: Gathered, words: Vocabularies, part: str, *, deep: bool) -> Conditioner:
    """One CLIP; `deep` reads its last layer, behind the norm, and no projected vector."""
    if part not in whole.parts:
        needs = " and ".join(whole.identity.needs()) or f"the part {part}"
        raise WeightsError(f"{whole.path} lacks {needs}; --base names a checkpoint that lends what is missing")
    source, config = whole.parts[part], whole.config(part)
    vocabulary, width = source.shape("text_model.embeddings.token_embedding.weight") or (0, 0)
    zero = part == SECOND or width == OPENCLIP_H
    tokenizer = words.clip(2 if part == SECOND else 1, vocabulary, 0 if zero else None)
    encoder = clip_of(source, config, tokenizer.end, 0 if deep else 1, projected=not deep and _projects(whole, part))
    return Conditioner(tokenizer, encoder)


def _projects(whole: Gathered, part: str) -> bool:
    """SDXL's first tower and SD 2's have a projection in some files that nobody uses."""
    return part == SECOND or "transformer" in whole.parts


def _same_width(whole: Gathered, have: int, want: int) -> None:
    if have != want:
        raise WeightsError(f"{whole.path}: the text encoders are {have} wide together, its network wants {want}")
