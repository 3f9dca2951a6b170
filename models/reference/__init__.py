"""The simplest models that could do the job, on raw columns: what a network has to be worth."""
