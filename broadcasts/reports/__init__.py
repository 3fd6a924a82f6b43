"""Reports over a period: tallies of the record, and what is read from them."""
