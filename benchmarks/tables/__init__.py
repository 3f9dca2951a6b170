"""Tables that nothing was tuned on, each through `init` and the DAG beside the references."""
