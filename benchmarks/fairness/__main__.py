"""What each mitigation of `fairness` does to quality and to gaps by sex, on the census.

    make benchmark BENCHMARK=fairness                     # seeds 31 to 35, gold and weak labels
    make benchmark BENCHMARK=fairness ARGS="--seeds 31 --modes gold"

For each kind of labels the whole DAG runs twice with the first seed: without a mitigation, and with
`min_diff` where the models do not read sex. The other seeds and mitigations take the transformed
rows and the tuner's values of those runs and do what Trainer, Distiller, Quantizer and
VariantEvaluator do: the seed then changes initial weights, the order of rows, pruning and the rows
that calibrate, and not the eval split. With `--root DIR` all is kept there, and a second call goes
on where the first one ended. `--other-seeds` are the seeds of what is neither of the two, and
`--weak-seeds` those of weak labels, where there is no time for all.

Nothing was ever chosen by these seeds. Writes fairness.md and fairness.json to benchmarks/results/.
"""

import sys

from benchmarks.fairness.study import main

if __name__ == "__main__":
    sys.exit(main(__doc__))
