"""Secret points (密点): points.toml beside the files, checked, and turned into records."""
