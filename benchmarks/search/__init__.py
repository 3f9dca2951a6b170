"""What the search finds against the default values, on evaluation and on test rows."""
