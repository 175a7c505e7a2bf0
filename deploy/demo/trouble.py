"""What went wrong, told to a person."""


class Trouble(Exception):
    """A sentence that says what is wrong and, where somebody can do something about it, what."""
