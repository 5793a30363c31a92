"""Pictures that explain: labelled sheets, curves, and the two-peak toy."""
