"""Which columns are worth reading: scores, shuffled copies and the rules that choose."""
