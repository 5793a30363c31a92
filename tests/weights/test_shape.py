from inkwash.weights.shape import mmdit_shape
from tools.topology import mmdit, named, vae


def test_numbers_of_a_transformer() -> None:
    shape = mmdit_shape(named(mmdit(24, 384, normed=True, dual=13)))
    assert shape is not None
    assert (shape.depth, shape.width, shape.channels, shape.positions) == (24, 1536, 16, 147456)
    assert (shape.normed, shape.dual, shape.words, shape.pooled) == (True, tuple(range(13)), 4096, 2048)


def test_others_have_no_shape() -> None:
    assert mmdit_shape(named(vae())) is None
