"""What dovetail's SQL stores share: tables, migrations and queries on SQLAlchemy."""
