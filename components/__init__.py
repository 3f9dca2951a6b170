"""The nodes of the DAG, one a file.

`code_sha256`, a parameter of each, only tells runs of different code apart: caching goes by it.
"""
