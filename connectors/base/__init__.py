"""What every connector is made of: records, errors, transport, auth, paging and call budget. Plain Python."""
