"""Which variant of a model ships: what can, what it costs, and the choice."""
