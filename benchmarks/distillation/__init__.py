"""The student, distilled and on labels alone."""
