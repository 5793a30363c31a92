"""What ImageNet calls cats and dogs: 7 classes of cats, 118 of dogs, the dogs in the order of their classes."""

from collections.abc import Mapping
from types import MappingProxyType

from jaxtyping import Bool, Float, Int
from torch import Tensor, cat

Share = float | None
"""A part of a whole, from 0 to 1; None where there is no whole."""

CATS = range(281, 288)
"""Tabby, tiger cat, Persian, Siamese, Egyptian cat, cougar, lynx."""
DOGS = range(151, 269)
"""Chihuahua to Mexican hairless; the wild dogs come after."""

_IN_ORDER = """
Chihuahua, Japanese chin, Maltese, Pekingese, Shih Tzu, Cavalier King Charles spaniel, papillon, toy terrier,
Rhodesian ridgeback, Afghan hound, basset hound, beagle, bloodhound, bluetick coonhound, black-and-tan coonhound,
Treeing Walker coonhound, English foxhound, redbone coonhound, borzoi, Irish wolfhound, Italian greyhound, whippet,
Ibizan hound, Norwegian elkhound, otterhound, Saluki, Scottish deerhound, Weimaraner, Staffordshire bullterrier,
American Staffordshire terrier, Bedlington terrier, Border terrier, Kerry blue terrier, Irish terrier, Norfolk terrier,
Norwich terrier, Yorkshire terrier, wire-haired fox terrier, Lakeland terrier, Sealyham terrier, Airedale terrier,
cairn terrier, Australian terrier, Dandie Dinmont terrier, Boston terrier, miniature schnauzer, giant schnauzer,
standard schnauzer, Scottish terrier, Tibetan terrier, silky terrier, soft-coated wheaten terrier,
West Highland white terrier, Lhasa Apso, flat-coated retriever, curly-coated retriever, golden retriever,
Labrador retriever, Chesapeake Bay retriever, German short-haired pointer, vizsla, English setter, Irish setter,
Gordon setter, Brittany spaniel, clumber spaniel, English springer spaniel, Welsh springer spaniel, cocker spaniel,
Sussex spaniel, Irish water spaniel, kuvasz, schipperke, Belgian Groenendael, Belgian malinois, briard,
Australian kelpie, komondor, Old English sheepdog, Shetland sheepdog, collie, Border collie, Bouvier des Flandres,
Rottweiler, German shepherd, Doberman, miniature pinscher, Greater Swiss Mountain, Bernese mountain, Appenzeller,
EntleBucher, boxer, bullmastiff, Tibetan mastiff, French bulldog, Great Dane, Saint Bernard, Eskimo, Alaskan malamute,
Siberian husky, Dalmatian, affenpinscher, basenji, pug, Leonberger, Newfoundland, Great Pyrenees, Samoyed, Pomeranian,
chow chow, keeshond, Brussels griffon, Pembroke Welsh corgi, Cardigan Welsh corgi, toy poodle, miniature poodle,
standard poodle, Mexican hairless
"""

BREEDS: Mapping[str, int] = MappingProxyType(
    dict(zip(" ".join(_IN_ORDER.split()).split(", "), DOGS, strict=True)),
)
"""Breed, as the captions spell it -> ImageNet class."""


def share(hits: Bool[Tensor, " n"]) -> Share:
    """How many are true."""
    return hits.double().mean().item() if len(hits) else None


def says_cat(logits: Float[Tensor, "n 1000"]) -> Bool[Tensor, " n"]:
    """Whether the best answer among all cats and dogs is a cat; otherwise it is a dog."""
    both = cat([logits[:, CATS.start : CATS.stop], logits[:, DOGS.start : DOGS.stop]], dim=1)
    return both.argmax(1) < len(CATS)


def rank(logits: Float[Tensor, "n 1000"], classes: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """How many of the 1,000 answers stand before the wanted class: 0 is top-1, below 5 is top-5."""
    wanted = logits.gather(1, classes[:, None])
    return (logits > wanted).sum(1)
