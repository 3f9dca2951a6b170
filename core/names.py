"""Names that several rooms go by: columns that nodes add to the rows, splits, report files."""

ROW_ID = "row_id"
"""Column that staging adds: `span-1:1` for the first row of the first span."""

LABEL = "label"
"""Column that labelling adds: the probability of the positive class."""

WEIGHT = "weight"
"""Column that labelling adds: the weight of a row in training."""
