"""A regular package, so that no package `tests` of an installed one (IPython's) is found first."""
