"""What went wrong, told to a person."""


class ControlPlaneError(Exception):
    """A sentence for the user that says what is wrong and what to do; shown without a traceback."""
