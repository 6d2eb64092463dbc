"""A year of many organizations through the real retention job, by a clock of its own, compared with a model."""
