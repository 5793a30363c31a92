"""How fast it is, beside what else there is: ratios from one run, on one machine, named in the result."""
