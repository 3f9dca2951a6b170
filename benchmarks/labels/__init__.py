"""Measurements of weak labels that need a finished run and no other."""
