"""What FeatureSelector's rules keep, and what that does to quality, bytes and latency."""
