"""The systems that the papers we start from measured theirs by: on our data, all with the same splits by person."""
