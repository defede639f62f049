"""License files for machines without a network."""
