"""What only the user can put right: it ends the process, with a sentence instead of a traceback."""


class Hopeless(Exception):
    """To go on, or to try again, is of no use; the text is a sentence for the user that says why, and what to do."""
