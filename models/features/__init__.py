"""Which columns are worth reading: scores, shuffled copies of columns, and the rules that choose."""
