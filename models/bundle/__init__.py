"""The edge bundle as a folder of files."""
