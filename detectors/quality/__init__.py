"""Rules about data, for the data steward: what a feed's report card says, never what is said of a household."""
