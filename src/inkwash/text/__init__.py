"""Text conditioning: words into numbers that steer the predictor."""
