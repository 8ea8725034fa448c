"""Where everything that happened stays: the store (ClickHouse or embedded), the archive that fills it, the figures."""
