"""Results → words, tables, JSON; all wording for people lives here."""
