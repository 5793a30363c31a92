"""Drive reverse diffusion yourself: see how each step moves, and stop early.

Prints a line a step: the noise level, and the lengths of the deterministic and of the random part of the move.
"""

import inkwash

painter = inkwash.load("pets")
request = inkwash.GenerateRequest(prompt="a photo of a beagle dog", sampler="euler_ancestral", seed=7)
for step in painter.stream(request):
    print(f"sigma {step.sigma:8.3f}  drift {step.drift.norm():9.3f}  random {step.random.norm():9.3f}")
    if step.sigma < 0.1:
        break  # leaving the loop is all it takes to cancel
