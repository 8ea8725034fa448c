"""A city run through the service without a broker, with everything that went in and came out kept as plain files."""
