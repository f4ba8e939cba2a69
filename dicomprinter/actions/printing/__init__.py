"""How a Print is performed: attributes, pixels and the exchange with the printer (PS3.4 Annex H)."""
