"""Teachers of the teacher: simple models whose opinion a network learns beside the labels."""
