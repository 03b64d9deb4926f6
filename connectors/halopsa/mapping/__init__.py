"""HaloPSA's rows to records and canonical fields to HaloPSA's rows. Pure: no call, no clock."""
