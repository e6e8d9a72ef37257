"""What a user may set: the schema of a training, its binding to TOML, environment and flags, tasks, presets."""
