"""What reads a pushed edge bundle without this project: Python, JavaScript, C99."""
