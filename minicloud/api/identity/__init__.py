"""The faces of the user manager: Identity v2.0 and v3."""
