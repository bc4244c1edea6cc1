"""What a user would write or take instead of leadcore: the same model by other hands, from the same tables."""
