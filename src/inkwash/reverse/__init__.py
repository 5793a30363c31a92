"""Reverse diffusion: samplers that run the film backwards."""
