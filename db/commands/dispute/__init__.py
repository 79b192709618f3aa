"""The commands of a dispute, one module per stage of its life."""
