"""How moments are written: to the second, and sortable, as in the log."""
