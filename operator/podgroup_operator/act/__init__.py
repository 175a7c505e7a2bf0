"""Acting: a plan carried out on the API. Nothing is decided here."""
