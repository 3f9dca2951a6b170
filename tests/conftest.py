"""The process-wide settings of a run, before any test imports TensorFlow."""

from pipeline.run import environment

environment.prepare()
