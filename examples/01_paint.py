"""Paint four cats and put them on one sheet.

Writes cats.png and prints four seeds, one a line.
"""

import inkwash

cats = inkwash.load("pets").paint("a photo of a cat", count=4, seed=7)
cats.sheet().save("cats.png")
for painting in cats.paintings:
    print(painting.seed)
