"""Mutation testing of the rooms that decide: are there tests that notice when a rule or a ledger is slightly wrong?"""
