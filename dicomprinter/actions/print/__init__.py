"""Print: puts the pages on film (PS3.4 Annex H)."""
