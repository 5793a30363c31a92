"""Turn one picture into another: half of the way into noise, and back with other words.

Writes cat.png and dog.png and prints the settings of the second as other programs read them.
"""

from pathlib import Path

import inkwash

painter = inkwash.load("pets")
painter.paint("a photo of a cat", seed=7)[0].save("cat.png")
request = inkwash.GenerateRequest(prompt="a photo of a beagle dog", image=Path("cat.png"), strength=0.6, seed=7)
dog = painter.paint(request).paintings[0]
dog.save(Path("dog.png"), overwrite=True)
print(dog.parameters)
