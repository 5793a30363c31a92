"""The noise predictor: a network that tells how much noise a picture holds."""
