"""A released checkpoint -> a model that paints: parts gathered, networks woken, habits looked up."""

from dataclasses import replace
from pathlib import Path

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import AutoencoderSpec
from inkwash.latent.tiny_autoencoder import TinyAutoencoder
from inkwash.weights.bundle import Bundle
from inkwash.weights.choice import Keeping, ModelChoice
from inkwash.weights.configs import Config
from inkwash.weights.containers.source import Source
from inkwash.weights.families import FAMILIES
from inkwash.weights.family import identified
from inkwash.weights.files import file_sha256
from inkwash.weights.gathered import Gathered, gathered, kept, notes_of, readable
from inkwash.weights.habits import defaults_of, schedule_of, target_of
from inkwash.weights.names import vae
from inkwash.weights.names.recipe import recast
from inkwash.weights.readers import readers_of
from inkwash.weights.single import apart
from inkwash.weights.vocabularies import Vocabularies
from inkwash.weights.waking import autoencoder_of, halves_of_tiny, predictor_of, tiny_autoencoder_of


def load_released(choice: ModelChoice, keeping: Keeping = "auto", room: int | None = None) -> Bundle:
    """A file or folder that others made, on the CPU, without gradients.

    Weights are kept as `keeping` says, in `room` bytes of memory; None: what is free. Raises WeightsError for files
    that are broken, incomplete or do not fit together, InvalidRequest for a choice that cannot be made.
    """
    whole, words = kept(gathered(choice), keeping, room), Vocabularies(choice)
    target, schedule = target_of(whole), schedule_of(whole)
    predictor = predictor_of(whole.parts[whole.network], whole.config(whole.network))
    readers = readers_of(whole, predictor, words)
    space, files = _space(whole, choice)
    have, want = space.spec.latent_channels, predictor.spec.channels_out
    if have != want:
        raise WeightsError(f"the autoencoder has {have} channels, {whole.path} wants {want}")
    return Bundle(
        name=whole.path.stem if whole.path.is_file() else whole.path.resolve().name,
        predictor=predictor,
        schedule=schedule,
        target=target,
        autoencoder=space,
        text=readers,
        defaults=defaults_of(whole, space.spec.factor),
        scheduler=whole.scheduler,
        files={name: file_sha256(path) for name, path in {**whole.files(), **files, **words.used}.items()},
        maps=whole.maps(),
    )


def _space(whole: Gathered, choice: ModelChoice) -> tuple[Autoencoder | TinyAutoencoder, dict[str, Path]]:
    """The autoencoder, and its files where it is not the model's own."""
    known = _units(whole)
    if choice.vae is not None:
        source = replace(readable(choice.vae), rests=any(part.rests for part in whole.parts.values()))
        if identified(source).kind == "taesd":
            halves = halves_of_tiny(source, readable)
            return tiny_autoencoder_of(halves), {f"vae/{path.name}": path for path in halves.files}
        config: Config = notes_of(source).get("config.json", {})
        return autoencoder_of(_bare(source), config, known), {f"vae/{path.name}": path for path in source.files}
    if "vae" not in whole.parts:
        raise WeightsError(f"{whole.path} holds no autoencoder; --vae or --base names a file that does")
    return autoencoder_of(whole.parts["vae"], whole.config("vae"), known), {}


def _units(whole: Gathered) -> AutoencoderSpec:
    """What latents are divided by: no file tells, families do."""
    family = FAMILIES.get(whole.identity.family, FAMILIES["sd1"])
    return AutoencoderSpec(latent_mean=(family.shift,), latent_std=(1 / family.scale,))


def _bare(source: Source) -> Source:
    """An autoencoder by itself, or the one of a checkpoint, under today's names of a folder."""
    part = apart(source).parts.get("vae", source)
    names = list(part.slots)
    if not any(name.startswith(("decoder.conv_in.", "decoder.up")) for name in names):
        raise InvalidRequest("vae", source.what, f"an autoencoder; this is a {identified(source).kind}")
    ours = any(name.startswith("decoder.up_blocks.") for name in names)
    part = recast(part, (vae.modernised if ours else vae.to_diffusers)(names))
    return part.renamed({name: name for name in part.slots if not name.startswith(("loss.", "model_ema."))})
