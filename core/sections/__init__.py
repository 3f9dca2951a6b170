"""The sections that the nodes of the DAG read; `configs/base.yaml` explains each key."""
