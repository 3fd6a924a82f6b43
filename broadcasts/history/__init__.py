"""The record as people and programs read it: one filter, one set of columns, pages by key."""
