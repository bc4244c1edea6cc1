"""How a lifecycle is drawn: what the picture says, where it stands, and the text of it."""
