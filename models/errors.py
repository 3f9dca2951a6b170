"""Errors that are the user's to mend."""


class InputError(ValueError):
    """Data or configuration is at fault, not the program.

    The message names the file, key, row or column and says what to do. The command line prints it
    without a traceback and exits with code 2.
    """
