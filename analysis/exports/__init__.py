"""Out of the database: files, SQL databases, a warehouse and a bundle for researchers, reconciled with what is kept."""
