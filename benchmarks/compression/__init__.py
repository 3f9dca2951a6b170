"""What pruning, clustering and quantization of the student cost and gain."""
