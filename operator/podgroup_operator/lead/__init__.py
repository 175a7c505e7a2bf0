"""Leading: which of several operators may write, and from when on."""
