"""The papers' tables: one file declares each table (or each family), others lay them out."""
