"""The papers' tables: each table (or family) is declared in one file; others lay them out."""
