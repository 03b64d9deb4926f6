"""Autotask's rows to records and canonical fields to Autotask's rows. Pure: no call, no clock."""
