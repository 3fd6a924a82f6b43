"""What is taken out: tables of the record, written in a format, packed with a signed manifest."""
