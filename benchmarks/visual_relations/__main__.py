"""Quality on visual relations, three classes: all six variants, with 100 true labels and with all.

    make benchmark BENCHMARK=visual_relations                    # seeds 1 to 5: ten runs
    make benchmark BENCHMARK=visual_relations ARGS="--seeds 1"   # one run for each kind of labels

With `--root DIR` the runs are kept there, and a second call goes on where the first one ended.

Runs the DAG on visual_relations as benchmarks/quality.py does on census: `weak` lets it see 100
true labels of the training relations (labeling.gold_rows), `gold` all of them. The annotation files
are where the configuration's data.source says. Numbers are the summaries' own, on the published
test images. Beside them stands what needs no pipeline: a logistic regression on the same columns
(categories one-hot, geometry as ranks), fitted to the same 100 relations, and to all; and a lookup
of the class that a pair of subject and object mostly has among all of them.

Writes visual_relations.md and visual_relations.json to benchmarks/results/.
"""

import sys

from benchmarks import quality
from benchmarks.visual_relations.study import VISUAL_RELATIONS

if __name__ == "__main__":
    sys.exit(quality.main(VISUAL_RELATIONS, __doc__))
